using System.Security.Cryptography.X509Certificates;

namespace Registry.Infrastructure.Outbound;

/// <summary>How certificates of servers are judged that a configuration, or an answer, leads to.</summary>
internal static class ServerCertificates
{
    /// <summary>
    /// By what is here and what the server sends. Nothing is fetched: where from, the certificate itself would say
    /// (RFC 5280, 4.2.2.1), and no <see cref="AddressGuard"/> stands there.
    /// </summary>
    public static X509ChainPolicy Policy()
        => new() { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
}
