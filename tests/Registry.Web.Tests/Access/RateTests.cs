using System.Globalization;
using System.Text;

namespace Registry.Web.Tests.Access;

/// <summary>Limits of requests by address and by principal (<c>Registry:Limits</c>).</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class RateTests : IDisposable
{
    private static readonly (string, string) Alice = Basic("alice", "wonder");
    private static readonly (string, string) Bob = Basic("bob", "builder");

    private readonly TemporaryFolder _folder = new();

    public RateTests()
        => File.WriteAllLines(
            _folder.Combine("htpasswd"), [Htpasswd.Line("alice", "wonder"), Htpasswd.Line("bob", "builder")]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_principal_that_sends_too_much_is_refused_whatever_it_shows() // S-18
    {
        await using var registry = await StartAsync(("Limits:PrincipalRequestsPerSecond", "1"), ("Limits:PrincipalBurst", "5"));
        var token = (await registry.Client.GetAsync("/token", Alice)).Expect(200).Json.GetProperty("token").GetString();

        // Users, tokens and sessions of one principal have one bucket, and a second may pass while it is emptied.
        var refused = await FloodAsync(registry, "/v2/", ("Authorization", $"Bearer {token}"));
        refused.ExpectError(429, "TOOMANYREQUESTS");
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture), 1, 5);
        Assert.Contains("credentials", refused.Text, StringComparison.Ordinal);

        var problem = await FloodAsync(registry, "/api/v1/repositories", Alice);
        Assert.StartsWith("application/problem+json", problem.Header("Content-Type"), StringComparison.Ordinal);
        Assert.NotNull(problem.Header("Retry-After"));
    }

    [Fact]
    public async Task What_a_form_shows_counts_as_what_a_header_does()
    {
        await using var registry = await StartAsync(("Limits:PrincipalRequestsPerSecond", "1"), ("Limits:PrincipalBurst", "5"));
        var form = "grant_type=password&client_id=c&username=alice&password=wonder"u8.ToArray();
        var statuses = new List<int>();
        for (var i = 0; i < 100 && !statuses.Contains(429); i++)
            statuses.Add((await registry.Client.PostAsync("/token", form, ("Content-Type", "application/x-www-form-urlencoded"))).Status);

        Assert.Equal([200, 429], statuses.Distinct());
        (await registry.Client.GetAsync("/v2/", Bob)).Expect(200);
    }

    [Fact]
    public async Task Others_at_the_same_address_are_not_refused_for_it()
    {
        await using var registry = await StartAsync(("Limits:PrincipalRequestsPerSecond", "1"), ("Limits:PrincipalBurst", "5"));
        await FloodAsync(registry, "/v2/", Alice);

        (await registry.Client.GetAsync("/v2/", Bob)).Expect(200);
        for (var i = 0; i < 20; i++)
            (await registry.Client.GetAsync("/v2/_catalog")).Expect(200); // nobody has no name to be counted by
        (await registry.Client.GetAsync("/healthz/ready")).Expect(200);
    }

    [Fact]
    public async Task A_principal_may_go_on_after_the_wait()
    {
        await using var registry = await StartAsync(("Limits:PrincipalRequestsPerSecond", "5"), ("Limits:PrincipalBurst", "5"));
        await FloodAsync(registry, "/v2/", Alice);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while ((await registry.Client.GetAsync("/v2/", Alice)).Status == 429)
            await Task.Delay(100, patience.Token);
    }

    [Fact]
    public async Task Wrong_credentials_take_nothing_from_the_principal_they_name()
    {
        await using var registry = await StartAsync(("Limits:PrincipalRequestsPerSecond", "1"), ("Limits:PrincipalBurst", "3"));
        for (var i = 0; i < 4; i++)
            (await registry.Client.GetAsync("/v2/", Basic("alice", "wrong"))).Expect(401);

        (await registry.Client.GetAsync("/v2/", Alice)).Expect(200);
    }

    [Fact]
    public async Task An_address_that_sends_too_much_is_refused_before_anything_else() // S-18
    {
        await using var registry = await StartAsync(("Limits:RequestsPerSecond", "1"), ("Limits:Burst", "5"));

        var refused = await FloodAsync(registry, "/v2/_catalog");

        refused.ExpectError(429, "TOOMANYREQUESTS");
        Assert.Contains("address", refused.Text, StringComparison.Ordinal);
        Assert.NotNull(refused.Header("Retry-After"));
        (await registry.Client.GetAsync("/healthz/ready")).Expect(200);
        (await registry.Client.GetAsync("/metrics")).Expect(200);
    }

    private Task<RegistryFactory> StartAsync(params (string Key, string? Value)[] settings)
        => RegistryFactory.StartAsync(
            [("Access:Anonymous", "Pull"), ("Access:Htpasswd:Path", _folder.Combine("htpasswd")), .. settings]);

    // A bucket is emptied long before a second refills it, unless the machine is very busy: then it takes some more.
    private static async Task<Answer> FloodAsync(
        RegistryFactory registry, string path, params (string Name, string Value)[] headers)
    {
        for (var i = 0; i < 500; i++)
        {
            var answer = await registry.Client.GetAsync(path, headers);
            if (answer.Status == 429)
                return answer;
            answer.Expect(200);
        }

        throw new InvalidOperationException("Nothing was refused.");
    }

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");
}
