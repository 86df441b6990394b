using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Application.Registries;
using Registry.Infrastructure.Access;

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
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // as for the system's
        own.ChainPolicy.ApplicationPolicy.Add(new(ServerAuthentication));
        own.ChainPolicy.CustomTrustStore.AddRange(_file.Current);
        own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore); // what the upstream sent along
        return own.Build(whole) ? [] : ProblemsOf(own);
    }

    private static X509ChainStatusFlags[] ProblemsOf(X509Chain chain)
        => [.. chain.ChainStatus.Select(status => status.Status).Distinct()];

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

        return authorities.Count > 0 ? authorities : throw new FormatException("it has no certificate in PEM");
    }
}
