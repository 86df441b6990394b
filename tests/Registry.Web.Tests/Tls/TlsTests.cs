using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.Tls;

[Trait(Backend.Trait, Backend.Neither)]
public sealed class TlsTests : IDisposable
{
    private readonly WorkFolder _folder = new("tls");
    private readonly TestAuthority _authority = new();

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_client_is_shown_the_certificate_of_the_name_it_asks_for_or_the_first_one()
    {
        using var first = Write("first", _authority.Issue("first.example"));
        using var exact = Write("exact", _authority.Issue("exact.team.example"));
        using var wild = Write("wild", _authority.Issue("*.team.example"));
        using var wide = Write("wide", _authority.Issue("*.example"));
        using var told = Write("told", _authority.Issue("whatever.example"));
        await using var server = await TlsServer.StartAsync(
            _folder, _authority,
            [
                .. Pem(0, "first"), .. Pem(1, "wide"), .. Pem(2, "wild"), .. Pem(3, "exact"), .. Pem(4, "told"),
                ("Tls:Certificates:4:Hosts:0", "told.test"), ("Tls:Certificates:4:Hosts:1", "*.told.test"),
            ]);

        foreach (var (asked, expected) in new[]
        {
            ("first.example", first), ("other.test", first), ("", first), ("team.test", first),
            ("exact.team.example", exact), ("EXACT.Team.Example", exact),
            ("other.team.example", wild), ("team.example", wide), ("new.example", wide), ("whatever.example", wide),
            ("told.test", told), ("a.told.test", told), ("b.a.told.test", told), ("untold.test", first),
        })
            Assert.Equal((asked, expected.Thumbprint), (asked, await server.ShownAsync(asked)));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Images_are_pushed_and_pulled_over_each_version_of_HTTP(string version)
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(
            _folder, _authority, [.. Pem(0, "server"), ("Access:Anonymous", "Push")]);
        using var client = server.Client("registry.example", Version.Parse(version));

        var manifest = await client.PushImageAsync("team/app", "v1");
        var large = await client.PushBlobAsync("team/app", TestContent.Random(5_000_000));
        var chunked = TestContent.Random(3_000_000);
        var location = await client.StartUploadAsync("team/app");
        location = (await client.PatchChunkAsync(location, chunked.Bytes, 0, 2_000_000)).Expect(202).Location;
        location = (await client.PatchChunkAsync(location, chunked.Bytes, 2_000_000, 1_000_000)).Expect(202).Location;
        (await client.CloseAsync(location, chunked.Digest)).Expect(201);

        Assert.Equal(manifest.Bytes, (await client.GetAsync("/v2/team/app/manifests/v1")).Expect(200).Body);
        foreach (var blob in new[] { large, chunked })
            Assert.Equal(blob.Bytes, (await client.GetAsync($"/v2/team/app/blobs/{blob.Digest}")).Expect(200).Body);
        var part = await client.GetAsync($"/v2/team/app/blobs/{large.Digest}", ("Range", "bytes=10-19"));
        Assert.Equal(large.Bytes[10..20], part.Expect(206).Body);
        (await client.HeadAsync("/v2/team/app/manifests/v1")).Expect(200);
        (await client.GetAsync("/v2/team/app/manifests/none")).ExpectError(404, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task A_client_is_asked_for_a_token_over_TLS()
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(
            _folder, _authority, [.. Pem(0, "server"), ("Access:Anonymous", "None")]);
        using var client = server.Client("registry.example");

        var challenge = (await client.GetAsync("/v2/")).Expect(401).Header("WWW-Authenticate");

        Assert.StartsWith(
            $"Bearer realm=\"https://{client.Address.Authority}/token\"", challenge, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_1_2_and_1_3_are_spoken_and_HTTP_is_negotiated(SslProtocols protocol)
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(_folder, _authority, [.. Pem(0, "server")]);

        await using var both = await server.HandshakeAsync(
            "registry.example", protocol, SslApplicationProtocol.Http11, SslApplicationProtocol.Http2);
        await using var old = await server.HandshakeAsync("registry.example", protocol, SslApplicationProtocol.Http11);

        Assert.Equal(protocol, both.SslProtocol);
        Assert.Equal(SslApplicationProtocol.Http2, both.NegotiatedApplicationProtocol);
        Assert.Equal(SslApplicationProtocol.Http11, old.NegotiatedApplicationProtocol);
    }

    [Fact]
    public async Task A_new_certificate_counts_without_a_restart_and_open_connections_go_on()
    {
        using var old = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(
            _folder, _authority, [.. Pem(0, "server"), ("Access:Anonymous", "Push")]);
        var connections = 0;
        using var client = server.Client("registry.example", connecting: () => Interlocked.Increment(ref connections));
        (await client.GetAsync("/v2/")).Expect(200);
        Assert.Equal(old.Thumbprint, await server.ShownAsync("registry.example"));

        using var renewed = Write("server", _authority.Issue("registry.example", "new.example"));
        await server.WaitUntilShownAsync(renewed, "registry.example");

        (await client.GetAsync("/v2/")).Expect(200);
        Assert.Equal(1, connections);
        Assert.Equal(renewed.Thumbprint, await server.ShownAsync("new.example"));
    }

    [Fact]
    public async Task A_broken_replacement_leaves_the_old_certificate_in_force_and_is_told_once()
    {
        using var old = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(_folder, _authority, [.. Pem(0, "server")]);

        // A certificate of another key: what is there when only one of the two files is replaced.
        using var other = _authority.Issue("registry.example");
        await File.WriteAllTextAsync(_folder.File("server.crt"), other.ExportCertificatePem());
        await server.WaitUntilLoggedAsync("does not fit");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(old.Thumbprint, await server.ShownAsync("registry.example"));
            await Task.Delay(300); // the files are looked at once more
        }

        Assert.Single(server.Process.Output.Split('\n'), line => line.Contains("does not fit", StringComparison.Ordinal));
        File.Delete(_folder.File("server.key"));
        await server.WaitUntilLoggedAsync("cannot be read");
        Assert.Equal(old.Thumbprint, await server.ShownAsync("registry.example"));

        using var good = Write("server", _authority.Issue("registry.example"));
        await server.WaitUntilShownAsync(good);
    }

    [Fact]
    public async Task A_PFX_is_opened_with_a_password_from_a_file()
    {
        using var certificate = _authority.Issue("registry.example");
        await File.WriteAllBytesAsync(
            _folder.File("server.pfx"), certificate.Export(X509ContentType.Pfx, "pfx-password"));
        await File.WriteAllTextAsync(_folder.File("password"), "pfx-password\n");
        await using var server = await TlsServer.StartAsync(
            _folder, _authority,
            ("Tls:Certificates:0:Path", _folder.File("server.pfx")),
            ("Tls:Certificates:0:PasswordFile", _folder.File("password")));

        Assert.Equal(certificate.Thumbprint, await server.ShownAsync(""));
        using var client = server.Client("registry.example");
        (await client.GetAsync("/healthz/ready")).Expect(200);
    }

    [Fact]
    public async Task A_key_may_be_encrypted_or_in_the_file_of_the_certificate()
    {
        using var encrypted = _authority.Issue("encrypted.example");
        await File.WriteAllTextAsync(_folder.File("a.crt"), encrypted.ExportCertificatePem());
        await File.WriteAllTextAsync(_folder.File("a.key"), TestAuthority.KeyOf(encrypted, "key-password"));
        using var whole = _authority.Issue("whole.example");
        await File.WriteAllTextAsync(
            _folder.File("whole.pem"), $"{TestAuthority.KeyOf(whole)}\n{whole.ExportCertificatePem()}\n{_authority.Pem}");
        await using var server = await TlsServer.StartAsync(
            _folder, _authority,
            [
                .. Pem(0, "a"), ("Tls:Certificates:0:Password", "key-password"),
                ("Tls:Certificates:1:Path", _folder.File("whole.pem")),
            ]);

        Assert.Equal(encrypted.Thumbprint, await server.ShownAsync("encrypted.example"));
        Assert.Equal(whole.Thumbprint, await server.ShownAsync("whole.example"));
        Assert.DoesNotContain("key-password", server.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_has_expired_is_served_and_warned_of()
    {
        using var expired = Write("server", _authority.Issue(DateTimeOffset.UtcNow.AddDays(-1), "registry.example"));
        await using var server = await TlsServer.StartAsync(_folder, _authority, [.. Pem(0, "server")]);

        Assert.Equal(expired.Thumbprint, await server.ShownAsync(""));
        Assert.Contains(
            server.Process.Log, line => line.ToString().Contains("has expired", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_health_command_asks_a_listener_of_TLS_whatever_its_certificate()
    {
        using var certificate = Write("server", _authority.Issue(DateTimeOffset.UtcNow.AddDays(-1), "registry.example"));
        await using var server = await TlsServer.StartAsync(_folder, _authority, [.. Pem(0, "server")]);
        using var client = server.Client("registry.example");
        var environment = TlsServer.Environment(
            [.. Pem(0, "server"), ("Listen:0", $"https://127.0.0.1:{client.Address.Port}")]);

        var healthy = await ServerProcess.RunAsync(_folder, environment, "health");
        Assert.Equal((0, "", ""), (healthy.ExitCode, healthy.Output, healthy.Error));

        environment["Registry__Listen__0"]
            = string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{server.Process.Client.Address.Port}");
        var notTls = await ServerProcess.RunAsync(_folder, environment, "health");
        Assert.Equal(1, notTls.ExitCode);
        Assert.Contains("gives no answer", notTls.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_moves_a_listener_of_TLS_to_another_port()
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        var (plain, moved) = (LoopbackPort.Free(), LoopbackPort.Free());
        var environment = TlsServer.Environment([.. Pem(0, "server"), ("Listen:0", $"https://127.0.0.1:{plain}")]);
        await using var process = ServerProcess.Begin(
            _folder, environment, "--port", moved.ToString(CultureInfo.InvariantCulture));
        using var client = new RegistryClient(
            new Uri($"https://127.0.0.1:{moved}/"),
            handler => handler.SslOptions.CertificateChainPolicy
                = new() { VerificationFlags = X509VerificationFlags.AllFlags });

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await AnswersAsync(client))
            await Task.Delay(50, patience.Token);
    }

    [Fact]
    public async Task Browsers_are_told_to_come_by_TLS_alone_where_that_is_set_and_they_have() // S-23
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(
            _folder, _authority, [.. Pem(0, "server"), ("Tls:HstsMaxAge", "365.00:00:00")]);
        using var client = server.Client("registry.example");

        foreach (var path in new[] { "/healthz/live", "/v2/", "/swagger/index.html" })
        {
            (await client.GetAsync(path)).ExpectHeader("Strict-Transport-Security", "max-age=31536000");
            (await server.Process.Client.GetAsync(path)).ExpectHeader("Strict-Transport-Security", null);
        }
    }

    [Fact]
    public async Task A_connection_of_HTTP_2_is_told_its_limits() // S-18
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(_folder, _authority, [.. Pem(0, "server")]);
        await using var connection = await server.HandshakeAsync(
            "registry.example", SslProtocols.None, SslApplicationProtocol.Http2);

        await connection.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray());
        var frame = new byte[9];
        await connection.ReadExactlyAsync(frame);
        Assert.Equal(4, frame[3]); // SETTINGS
        var payload = new byte[(frame[0] << 16) | (frame[1] << 8) | frame[2]];
        await connection.ReadExactlyAsync(payload);
        var settings = payload.Chunk(6).ToDictionary(
            entry => (entry[0] << 8) | entry[1],
            entry => (entry[2] << 24) | (entry[3] << 16) | (entry[4] << 8) | entry[5]);

        Assert.Equal(100, settings[3]); // SETTINGS_MAX_CONCURRENT_STREAMS
        Assert.Equal(32 * 1024, settings[6]); // SETTINGS_MAX_HEADER_LIST_SIZE
    }

    [Fact]
    public async Task Headers_that_are_too_large_are_refused_over_HTTP_2_too() // S-19
    {
        using var certificate = Write("server", _authority.Issue("registry.example"));
        await using var server = await TlsServer.StartAsync(_folder, _authority, [.. Pem(0, "server")]);
        using var client = server.Client("registry.example", HttpVersion.Version20);

        try
        {
            var answer = await client.GetAsync("/healthz/live", ("X-Large", new string('x', 40_000)));
            Assert.Equal(431, answer.Status);
        }
        catch (HttpRequestException)
        {
            // The stream, or the connection, was ended: the client's library tells no more.
        }

        (await client.GetAsync("/healthz/live", ("X-Small", new string('x', 4_000)))).Expect(200);
    }

    private static async Task<bool> AnswersAsync(RegistryClient client)
    {
        try
        {
            return (await client.GetAsync("/healthz/ready", ("Host", "localhost"))).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private X509Certificate2 Write(string name, X509Certificate2 certificate)
    {
        File.WriteAllText(_folder.File($"{name}.key"), TestAuthority.KeyOf(certificate));
        File.WriteAllText(_folder.File($"{name}.crt"), certificate.ExportCertificatePem());
        return certificate;
    }

    private (string Key, string Value)[] Pem(int number, string name)
        =>
        [
            ($"Tls:Certificates:{number}:Path", _folder.File($"{name}.crt")),
            ($"Tls:Certificates:{number}:KeyPath", _folder.File($"{name}.key")),
        ];
}
