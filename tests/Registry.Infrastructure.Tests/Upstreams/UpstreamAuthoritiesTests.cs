using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Application.Registries;
using Registry.Infrastructure.Tests.Database;
using Registry.Infrastructure.Upstreams;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>What a proxy's own authorities make of certificates that the system does not trust.</summary>
public sealed class UpstreamAuthoritiesTests : IDisposable
{
    private const string Servers = "1.3.6.1.5.5.7.3.1";
    private const string Clients = "1.3.6.1.5.5.7.3.2";

    private readonly WorkFolder _folder = new("upstream-authorities");
    private readonly ManualTime _time = new();
    private readonly Pair _root = Pair.Sign(null, "root", isAuthority: true);
    private readonly Pair _intermediate;

    public UpstreamAuthoritiesTests() => _intermediate = Pair.Sign(_root, "intermediate", isAuthority: true);

    private string File => _folder.File("ca.pem");

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Servers, X509ChainStatusFlags.NoError)]
    [InlineData(null, X509ChainStatusFlags.NoError)] // it says nothing about its use
    [InlineData(Clients, X509ChainStatusFlags.NotValidForUsage)]
    public void What_one_of_them_has_signed_for_servers_is_trusted(string? usage, X509ChainStatusFlags problem)
    {
        WriteRoot();
        using var server = Pair.Sign(_root, "server", usage: usage);
        var authorities = Open();
        for (var connection = 0; connection < 3; connection++)
            Assert.Equal(problem is X509ChainStatusFlags.NoError ? [] : [problem], Problems(authorities, server));
    }

    [Fact]
    public void What_the_server_sends_along_leads_to_one_of_them()
    {
        WriteRoot();
        using var server = Pair.Sign(_intermediate, "server");
        Assert.Equal([X509ChainStatusFlags.PartialChain], Problems(Open(), server));
        Assert.Empty(Problems(Open(), server, _intermediate));
    }

    [Fact]
    public void What_the_server_sends_along_is_no_authority()
    {
        WriteRoot();
        using var other = Pair.Sign(null, "other", isAuthority: true);
        using var server = Pair.Sign(other, "server");
        Assert.NotEmpty(Problems(Open(), server, other));
    }

    [Fact]
    public void Links_of_a_chain_may_stand_beside_their_root_and_not_alone()
    {
        System.IO.File.WriteAllText(File, _intermediate.Certificate.ExportCertificatePem());
        Assert.Contains("no root authority", Assert.Throws<StartRefusedException>(Open).Message, StringComparison.Ordinal);

        System.IO.File.AppendAllText(File, $"\n{_root.Certificate.ExportCertificatePem()}");
        using var server = Pair.Sign(_intermediate, "server");
        Assert.Empty(Problems(Open(), server));
    }

    [Fact]
    public void Another_file_counts_without_a_restart()
    {
        using var other = Pair.Sign(null, "other", isAuthority: true);
        System.IO.File.WriteAllText(File, other.Certificate.ExportCertificatePem());
        using var server = Pair.Sign(_root, "server");
        var authorities = Open();
        Assert.NotEmpty(Problems(authorities, server));

        WriteRoot();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(Problems(authorities, server));
    }

    [Fact]
    public void Without_a_file_it_is_the_systems_word()
    {
        using var server = Pair.Sign(_root, "server");
        var authorities = new UpstreamAuthorities("key", new(), _time, NullLogger.Instance);
        authorities.Open();
        Assert.Contains(X509ChainStatusFlags.PartialChain, Problems(authorities, server));
    }

    private void WriteRoot() => System.IO.File.WriteAllText(File, _root.Certificate.ExportCertificatePem());

    private UpstreamAuthorities Open()
    {
        var authorities = new UpstreamAuthorities("key", new RegistrySettings { CaFile = File }, _time, NullLogger.Instance);
        authorities.Open();
        return authorities;
    }

    // As a connection does: first the system is asked.
    private static IReadOnlyList<X509ChainStatusFlags> Problems(UpstreamAuthorities authorities, Pair server, params Pair[] sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var one in sent)
            chain.ChainPolicy.ExtraStore.Add(one.Certificate);
        Assert.False(chain.Build(server.Certificate));
        return authorities.Problems(server.Certificate, chain);
    }

    /// <summary>A certificate and its key.</summary>
    private sealed record Pair(X509Certificate2 Certificate, ECDsa Key) : IDisposable
    {
        public static Pair Sign(Pair? by, string name, bool isAuthority = false, string? usage = null)
        {
            var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            if (isAuthority)
                request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            if (usage is not null)
                request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
            var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            return new(
                by is null
                    ? request.CreateSelfSigned(from, until)
                    : request.Create(
                        by.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(by.Key), from, until,
                        RandomNumberGenerator.GetBytes(8)),
                key);
        }

        public void Dispose()
        {
            Certificate.Dispose();
            Key.Dispose();
        }
    }
}
