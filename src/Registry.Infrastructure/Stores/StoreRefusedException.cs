namespace Registry.Infrastructure.Stores;

/// <summary>A store cannot or must not be used as it is configured. The message names the key, its value and the fix.</summary>
public sealed class StoreRefusedException(string message, Exception? cause = null) : InvalidOperationException(message, cause);
