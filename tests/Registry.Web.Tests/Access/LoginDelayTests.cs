using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Web.Tests.Access;

/// <summary>Who has failed often waits, on the clock of the test.</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class LoginDelayTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private RegistryFactory? _registry;

    private RegistryClient Client => _registry!.Client;

    public async Task InitializeAsync()
    {
        await File.WriteAllLinesAsync(
            _folder.Combine("htpasswd"), [Htpasswd.Line("alice", "right-password"), Htpasswd.Line("bob", "bobs-password")]);
        _registry = await RegistryFactory.StartAsync(
            services => services.AddSingleton<TimeProvider>(_time),
            ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", _folder.Combine("htpasswd")));
    }

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)_registry!).DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_wait_grows_with_each_failure_and_is_told()
    {
        for (var i = 0; i < 5; i++)
            (await FailAsync()).ExpectError(401, "UNAUTHORIZED");

        foreach (var seconds in new[] { 1, 2, 4, 8 })
        {
            // While it lasts the right password is not looked at either, and nothing is counted.
            (await FailAsync()).ExpectError(429, "TOOMANYREQUESTS").ExpectHeader("Retry-After", $"{seconds}");
            (await Client.GetAsync("/v2/", Basic("alice", "right-password"))).Expect(429);
            _time.Advance(TimeSpan.FromSeconds(seconds));
            (await FailAsync()).Expect(401);
        }
    }

    [Fact]
    public async Task Every_way_to_show_a_password_waits_in_its_own_envelope()
    {
        for (var i = 0; i < 5; i++)
            (await FailAsync()).Expect(401);

        (await Client.GetAsync("/v2/_catalog", Basic("alice", "wrong"))).ExpectError(429, "TOOMANYREQUESTS");
        (await Client.GetAsync("/token", Basic("alice", "wrong"))).Expect(429).ExpectHeader("Retry-After", "1");
        var form = Encoding.ASCII.GetBytes("grant_type=password&username=alice&password=right-password&service=x");
        (await Client.PostAsync("/token", form, ("Content-Type", "application/x-www-form-urlencoded")))
            .Expect(429).ExpectHeader("Retry-After", "1");
        var problem = (await Client.GetAsync("/api/v1/repositories", Basic("alice", "wrong"))).Expect(429);
        Assert.StartsWith("application/problem+json", problem.Header("Content-Type"), StringComparison.Ordinal);
        problem.ExpectHeader("Retry-After", "1");
    }

    [Fact]
    public async Task Strangers_who_guess_keep_nobody_else_out()
    {
        for (var i = 0; i < 8; i++)
            await FailAsync();

        using var elsewhere = From("127.0.0.2");
        (await elsewhere.GetAsync("/v2/", Basic("alice", "right-password"))).Expect(200);
        (await Client.GetAsync("/v2/", Basic("bob", "bobs-password"))).Expect(200);
    }

    [Fact]
    public async Task A_success_begins_the_count_anew()
    {
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 4; i++)
                (await FailAsync()).Expect(401);
            // Longer than a password is remembered: it is looked at each time.
            _time.Advance(TimeSpan.FromMinutes(6));
            (await Client.GetAsync("/v2/", Basic("alice", "right-password"))).Expect(200);
        }
    }

    [Fact]
    public async Task Who_is_signed_in_already_goes_on_while_others_guess()
    {
        (await Client.GetAsync("/v2/", Basic("alice", "right-password"))).Expect(200);
        for (var i = 0; i < 8; i++)
            await FailAsync();

        (await FailAsync()).Expect(429);
        (await Client.GetAsync("/v2/", Basic("alice", "right-password"))).Expect(200);
    }

    private Task<Answer> FailAsync() => Client.GetAsync("/v2/", Basic("alice", "wrong"));

    private RegistryClient From(string address) => new(
        _registry!.Address,
        handler => handler.ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        });

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");
}
