namespace Registry.Infrastructure;

/// <summary>The registry cannot start as it is configured; the message says what to change.</summary>
public sealed class StartRefusedException(string message, Exception? cause = null) : Exception(message, cause);
