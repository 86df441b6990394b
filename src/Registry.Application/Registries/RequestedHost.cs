namespace Registry.Application.Registries;

/// <summary>What a client calls the instance: its <c>Host</c> header (RFC 9110, 7.2).</summary>
/// <param name="Name">Without the port; an IPv6 address in brackets.</param>
/// <param name="Port">The scheme's own where the client names none.</param>
public sealed record RequestedHost(string Name, int Port);
