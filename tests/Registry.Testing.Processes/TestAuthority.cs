using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Registry.Testing.Processes;

/// <summary>A certificate authority of a test's own, which nobody else trusts.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _root;

    /// <param name="name">Those of one name are taken for one another until their signatures are looked at.</param>
    public TestAuthority(string name = "Authority of a test")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
    }

    /// <summary>What a client has to trust.</summary>
    public string Pem => _root.ExportCertificatePem();

    /// <summary>A certificate with its key, for these host names and addresses.</summary>
    public X509Certificate2 Issue(params string[] names) => Issue(DateTimeOffset.UtcNow.AddDays(1), names);

    public X509Certificate2 Issue(DateTimeOffset until, params string[] names) => Issue(until, issuer: null, names);

    /// <summary>A certificate that says where its issuer's own can be fetched.</summary>
    public X509Certificate2 IssueWithLink(Uri issuer, params string[] names)
        => Issue(DateTimeOffset.UtcNow.AddDays(1), issuer, names);

    private X509Certificate2 Issue(DateTimeOffset until, Uri? issuer, string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }

        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(alternatives.Build());
        if (issuer is not null)
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [issuer.AbsoluteUri]));
        var serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7f;
        using var certificate = request.Create(_root, DateTimeOffset.UtcNow.AddMonths(-6), until, serial);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Lets a client trust this authority, and nothing else.</summary>
    public void Trust(SslClientAuthenticationOptions client)
        => client.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _root },
            RevocationMode = X509RevocationMode.NoCheck,
        };

    /// <summary>The private key in PEM; encrypted when there is a password.</summary>
    public static string KeyOf(X509Certificate2 certificate, string? password = null)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return password is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(
                password, new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, iterationCount: 1000));
    }

    public void Dispose() => _root.Dispose();
}
