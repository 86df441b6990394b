using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Application.Registries;
using Registry.Infrastructure.Access;
using Registry.Infrastructure.Outbound;

namespace Registry.Infrastructure.Upstreams;

/// <summary>The authorities that an upstream's certificate may come from besides the system's.</summary>
internal sealed class UpstreamAuthorities
{
    private const int MaxFileBytes = 1024 * 1024;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // RFC 5280, 4.2.1.12

    private readonly WatchedFile<X509Certificate2Collection>? _file;

    /// <param name="key">Where the settings stand.</param>
    public UpstreamAuthorities(string key, RegistrySettings settings, TimeProvider time, ILogger logger)
    {
        if (!string.IsNullOrEmpty(settings.CaFile))
        {
            _file = new(
                $"{key}:CaFile", settings.CaFile,
                "name a file of certificates in PEM that the server's user may read", MaxFileBytes,
                Parse, authorities => $"{authorities.Count} certificates", time, logger);
        }
    }

    /// <exception cref="StartRefusedException">The file cannot be used.</exception>
    public void Open() => _file?.Open();

    /// <summary>What is wrong with a certificate that the system does not trust; empty when one of them does.</summary>
    /// <param name="chain">What the system has made of it.</param>
    public IReadOnlyList<X509ChainStatusFlags> Problems(X509Certificate certificate, X509Chain chain)
    {
        if (_file is null)
            return ProblemsOf(chain);
        using var whole = new X509Certificate2(certificate);
        using var own = new X509Chain();
        own.ChainPolicy = ServerCertificates.Policy();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.ApplicationPolicy.Add(new(ServerAuthentication));
        own.ChainPolicy.CustomTrustStore.AddRange(_file.Current);
        own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore); // what the upstream sent along
        var problems = own.Build(whole) ? [] : ProblemsOf(own);
        foreach (var element in own.ChainElements)
            element.Certificate.Dispose();
        return problems;
    }

    // A chain that came to nothing may have no word for it.
    private static X509ChainStatusFlags[] ProblemsOf(X509Chain chain)
        => chain.ChainStatus.Length == 0
            ? [X509ChainStatusFlags.PartialChain]
            : [.. chain.ChainStatus.Select(status => status.Status).Distinct()];

    private static X509Certificate2Collection Parse(byte[] content)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(Encoding.UTF8.GetString(content));
        }
        catch (CryptographicException e)
        {
            throw new FormatException(e.Message, e);
        }

        // The others are taken for links of a chain, which ends nowhere then.
        return authorities.Any(IsRoot)
            ? authorities
            : throw new FormatException(
                authorities.Count == 0 ? "it has no certificate in PEM" : "it has no root authority, only others");
    }

    private static bool IsRoot(X509Certificate2 certificate)
        => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
