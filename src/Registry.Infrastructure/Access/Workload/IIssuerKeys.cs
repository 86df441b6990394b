using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>The public keys of an issuer.</summary>
internal interface IIssuerKeys : IDisposable
{
    /// <summary>The keys that count now, at once; null when none are known. May begin to look for newer ones.</summary>
    JwtKey[]? Known { get; }

    /// <summary>Begins with what can be had.</summary>
    /// <exception cref="StartRefusedException">They can never be had as they are configured.</exception>
    void Open();

    /// <summary>
    /// Looks for keys that are not known yet, together with whoever else waits for that, unless it was done just now.
    /// </summary>
    Task LookAgainAsync(CancellationToken cancellationToken);
}
