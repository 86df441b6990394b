using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Application.Access;
using Registry.Infrastructure.Access.Ldap;
using Registry.Infrastructure.Tests.Database;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.Access;

/// <summary>Servers that are down, slow, cut off, or not who they say they are.</summary>
public sealed class OpenLdapServersTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly TemporaryFolder _folder = new();
    private readonly List<LdapProvider> _providers = [];

    public void Dispose()
    {
        _providers.ForEach(provider => provider.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task The_next_server_is_asked_when_the_first_is_down()
    {
        await using var server = await OpenLdapProcess.StartAsync();
        var provider = Provider(server, settings => settings.Urls.Insert(0, $"ldap://127.0.0.1:{LoopbackPort.Free()}"));
        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "alice", "wonder land:1"));
        Assert.Null(await OpenLdap.VerifyAsync(provider, "alice", "wrong"));
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_left_for_the_next_and_rested()
    {
        await using var server = await OpenLdapProcess.StartAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0); // takes connections, as the system does for it
        silent.Start();
        var provider = Provider(server, settings =>
        {
            settings.Urls.Insert(0, $"ldap://{silent.LocalEndpoint}");
            settings.Timeout = TimeSpan.FromSeconds(1);
        });

        var clock = Stopwatch.StartNew();
        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "alice", "wonder land:1"));
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(15));
        var connections = Pending(silent);

        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "bob", "builder"));
        Assert.Equal(0, Pending(silent)); // it rests
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "carol", "singer"));
        Assert.True(connections > 0 && Pending(silent) > 0);
    }

    [Fact]
    public async Task A_server_that_hangs_in_the_middle_is_unavailable_and_threads_are_not_held()
    {
        await using var server = await OpenLdapProcess.StartAsync();
        var provider = Provider(server, settings => settings.Timeout = TimeSpan.FromSeconds(1));
        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "alice", "wonder land:1"));
        await server.FreezeAsync(frozen: true);
        try
        {
            var waiting = Enumerable.Range(0, 40).Select(i => OpenLdap.IsUnavailableAsync(provider, $"user{i}", "x")).ToArray();
            // A thread is to be had meanwhile.
            await Task.Run(() => Thread.Sleep(1)).WaitAsync(TimeSpan.FromMilliseconds(900));
            Assert.Contains(waiting, one => !one.IsCompleted);
            Assert.All(await Task.WhenAll(waiting), Assert.True);
        }
        finally
        {
            await server.FreezeAsync(frozen: false);
        }

        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "bob", "builder"));
    }

    [Fact]
    public async Task When_all_are_down_nothing_is_known_and_it_works_again_when_one_is_back()
    {
        await using var server = await OpenLdapProcess.StartAsync();
        var provider = Provider(server, settings => settings.Urls.Add($"ldap://127.0.0.1:{LoopbackPort.Free()}"));
        var alice = await OpenLdap.VerifyAsync(provider, "alice", "wonder land:1");
        await server.KillAsync(); // with connections that are kept

        Assert.True(await OpenLdap.IsUnavailableAsync(provider, "bob", "builder"));
        Assert.True(await OpenLdap.IsUnavailableAsync(provider, "nobody", "x"));
        Assert.NotNull(provider.Recall("alice", "wonder land:1"));
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.False((await provider.FindAsync(alice!.Account!, CancellationToken.None)).TryGet(out _, out _));

        await server.StartAsync();
        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "bob", "builder"));
    }

    [Fact]
    public async Task A_server_that_was_started_again_is_asked_over_a_new_connection()
    {
        await using var server = await OpenLdapProcess.StartAsync();
        var provider = Provider(server);
        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "alice", "wonder land:1"));
        await server.KillAsync();
        await server.StartAsync();

        Assert.NotNull(await OpenLdap.VerifyAsync(provider, "bob", "builder"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_certificate_of_the_trusted_authority_is_taken_and_no_other(bool startTls)
    {
        using var authority = new CertificateAuthority();
        using var stranger = new CertificateAuthority();
        await using var server = await OpenLdapProcess.StartAsync(authority);

        // In one process, one after the other: each connection knows its own authorities.
        for (var i = 0; i < 2; i++)
        {
            Assert.NotNull(await OpenLdap.VerifyAsync(Encrypted(server, authority, startTls), "alice", "wonder land:1"));
            Assert.Null(await OpenLdap.VerifyAsync(Encrypted(server, authority, startTls), "alice", "wrong"));
            Assert.True(await OpenLdap.IsUnavailableAsync(Encrypted(server, stranger, startTls), "alice", "wonder land:1"));
            Assert.True(await OpenLdap.IsUnavailableAsync(Encrypted(server, null, startTls), "alice", "wonder land:1"));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_certificate_for_another_name_is_not_taken(bool startTls)
    {
        using var authority = new CertificateAuthority();
        await using var server = await OpenLdapProcess.StartAsync(authority, "ldap.example.org");
        Assert.True(await OpenLdap.IsUnavailableAsync(Encrypted(server, authority, startTls), "alice", "wonder land:1"));
    }

    [Fact]
    public async Task Without_encryption_a_server_that_wants_it_gets_no_search()
    {
        using var authority = new CertificateAuthority();
        await using var server = await OpenLdapProcess.StartAsync(authority);
        Assert.True(await OpenLdap.IsUnavailableAsync(Provider(server), "alice", "wonder land:1"));
    }

    [Fact]
    public async Task A_file_of_authorities_that_is_wrong_stops_the_start()
    {
        await using var server = await OpenLdapProcess.StartAsync();
        var file = Path.Combine(_folder.Path, "ca.pem");
        Assert.Contains("cannot be read", Refused(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "no certificate");
        Assert.Contains("has no certificate in PEM", Refused(), StringComparison.Ordinal);

        string Refused()
        {
            var message = Assert.Throws<StartRefusedException>(() => Provider(server, settings =>
            {
                settings.StartTls = true;
                settings.CaFile = file;
            })).Message;
            Assert.StartsWith($"Registry:Access:Ldap:0:CaFile is '{file}'", message, StringComparison.Ordinal);
            return message;
        }
    }

    private LdapProvider Encrypted(OpenLdapProcess server, CertificateAuthority? authority, bool startTls)
        => Provider(server, settings =>
        {
            settings.Urls[0] = startTls ? server.Url : server.SecureUrl;
            settings.StartTls = startTls;
            if (authority is null)
                return;
            settings.CaFile = Path.Combine(_folder.Path, $"{Guid.NewGuid():N}.pem");
            File.WriteAllText(settings.CaFile, authority.Pem);
        });

    private LdapProvider Provider(OpenLdapProcess server, Action<LdapSettings>? change = null)
    {
        var provider = new LdapProvider([OpenLdap.Settings(server, change)], _time, NullLogger<LdapProvider>.Instance);
        _providers.Add(provider);
        provider.Open();
        return provider;
    }

    private static int Pending(TcpListener listener)
    {
        var count = 0;
        for (; listener.Pending(); count++)
            listener.AcceptSocket().Dispose();
        return count;
    }
}
