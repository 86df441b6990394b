using Microsoft.Extensions.Logging.Abstractions;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Registry.Application.Access;
using Registry.Application.Access.Tokens;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Access.Bearer;
using Registry.Infrastructure.Access.Jwt;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

public sealed class SqliteBearerTokensTests : BearerTokensContract<SqliteTestDatabase>;

public sealed class PostgreSqlBearerTokensTests : BearerTokensContract<PostgreSqlTestDatabase>
{
    [Fact]
    public async Task Nodes_of_one_database_take_each_others_tokens()
    {
        await using var other = await Node.StartAsync(Place.Connect(Time), Time);

        var (mine, its) = (await IssueAsync(), await IssueAsync(other));

        Assert.Equal(KeyOf(mine), KeyOf(its)); // whoever comes second finds the first one's key
        Assert.Null(await RefusalAsync(mine, other));
        Assert.Null(await RefusalAsync(its));
    }

    [Fact]
    public async Task A_key_that_another_node_has_made_is_looked_up_once()
    {
        await using var other = await Node.StartAsync(Place.Connect(Time), Time);
        await IssueAsync();
        await IssueAsync(other);
        Time.Advance(KeyLifetime);
        var token = await IssueAsync();
        var before = other.Database.Reads;

        foreach (var _ in Enumerable.Range(0, 20))
            Assert.Null(await RefusalAsync(token, other));

        Assert.Equal(1, other.Database.Reads - before);
    }

    [Fact]
    public async Task Nodes_that_want_a_first_key_at_once_take_each_others_tokens()
    {
        await using var other = await Node.StartAsync(Place.Connect(Time), Time);
        var tokens = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => IssueAsync(i % 2 == 0 ? Here : other)));
        foreach (var token in tokens)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            Assert.Null(await RefusalAsync(token));
            Assert.Null(await RefusalAsync(token, other));
        }
    }
}

/// <summary>Bearer tokens and refresh tokens on a new database, with a clock that stands still.</summary>
public abstract class BearerTokensContract<TDatabase> : IAsyncLifetime
    where TDatabase : TestDatabase, new()
{
    private protected const string Service = "registry.example:5000";

    private protected static readonly TimeSpan KeyLifetime = new TokenSettings().KeyLifetime;
    private protected static readonly TimeSpan Lifetime = new TokenSettings().Lifetime;
    private static readonly Principal Alice = Principal.User("alice") with { Account = new("htpasswd", "alice") };

    private protected TDatabase Place { get; } = new();

    private protected ManualTime Time { get; } = new();

    private protected Node Here { get; private set; } = null!;

    public async Task InitializeAsync() => Here = await Node.StartAsync(Place.Connect(Time), Time);

    public async Task DisposeAsync()
    {
        await Here.DisposeAsync();
        Place.Dispose();
    }

    [Fact]
    public async Task A_token_says_who_may_do_what_here()
    {
        var name = RepositoryName.Parse("team/app");
        var identity = new RepositoryIdentity(RegistryName.Default, name);
        var issued = await IssueAsync(new TokenContent(Alice, Service, [new(name, identity, [RegistryAction.Pull])], Lists: true));

        var token = await ReadAsync(issued.Text);

        Assert.Equal((Alice.Name, Alice.Account, Service), (token.Principal.Name, token.Account, token.Service));
        Assert.True(token.Scope.Covers(identity, RegistryAction.Pull));
        Assert.False(token.Scope.Covers(identity, RegistryAction.Push));
        Assert.False(token.Scope.Covers(new(RegistryName.Parse("other"), name), RegistryAction.Pull));
        Assert.True(token.Scope.Lists);
        Assert.Equal(Time.Now + Lifetime, token.Expires);
    }

    [Fact]
    public async Task Who_cannot_be_found_again_is_known_by_the_token()
    {
        var workload = Principal.Of(AccessSubject.User("w"), AccessSubject.Group("g"), AccessSubject.Claim("a", "b=c"));
        Assert.Equal(workload.Subjects, (await ReadAsync((await IssueAsync(Content(workload))).Text)).Principal.Subjects);

        var nobody = await ReadAsync((await IssueAsync(Content(Principal.Anonymous))).Text);
        Assert.Equal((Principal.Anonymous.Name, null, 0), (nobody.Principal.Name, nobody.Account, nobody.Principal.Subjects.Count));
    }

    [Fact]
    public async Task A_token_ends_with_the_credential_that_it_was_got_with()
    {
        var issued = await IssueAsync(Content(Alice with { Until = Time.Now + TimeSpan.FromMinutes(2) }));

        Assert.Equal(TimeSpan.FromMinutes(2), issued.Lifetime);
        Time.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromSeconds(1));
        Assert.Null(await RefusalAsync(issued.Text));
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("has expired", await RefusalAsync(issued.Text), StringComparison.Ordinal);
        Assert.Contains(
            "has expired",
            await RefusalAsync((await IssueAsync(Content(Alice with { Until = Time.Now - TimeSpan.FromMinutes(1) }))).Text),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("registry.example")]
    [InlineData("registry.example:5001")]
    [InlineData("registry.example:50000")]
    [InlineData("other.example:5000")]
    [InlineData("registry.example.evil.example:5000")]
    [InlineData("")]
    public async Task A_token_is_for_one_host_and_port(string other)
        => Assert.Contains("another service", await RefusalAsync(await IssueAsync(), service: other), StringComparison.Ordinal);

    [Fact]
    public async Task A_token_counts_from_its_beginning_to_its_end()
    {
        var token = await IssueAsync();
        Time.Advance(TimeSpan.FromSeconds(-30)); // another node's clock, a little behind
        Assert.Null(await RefusalAsync(token));
        Time.Advance(TimeSpan.FromSeconds(-1));
        Assert.Contains("does not count yet", await RefusalAsync(token), StringComparison.Ordinal);

        Time.Advance(TimeSpan.FromSeconds(31) + Lifetime - TimeSpan.FromSeconds(1));
        Assert.Null(await RefusalAsync(token));
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("has expired", await RefusalAsync(token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"iss":"other","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[]}""")]
    [InlineData("""{"iss":["registry"],"sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[]}""")]
    [InlineData("""{"sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"access":[]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":"9999999999","access":[]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":{}}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[1]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[{"type":1}]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[{"type":"repository","registry":"default","repository":"a","actions":["fly"]}]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[{"type":"repository","registry":"default","repository":"A..","actions":[]}]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[{"type":"repository","registry":null,"repository":"a","actions":[null]}]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[],"subjects":["root"]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[],"subjects":["\ud800"]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[],"subjects":[null]}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[],"account":"alice"}""")]
    [InlineData("""{"iss":"registry","sub":"user:alice","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[],"account":{}}""")]
    [InlineData("""{"iss":"registry","sub":"\ud800","aud":"s","iat":1,"nbf":1,"exp":9999999999,"access":[]}""")]
    [InlineData("{}")]
    public async Task What_is_signed_with_our_key_and_says_something_else_is_refused_and_fails_nothing(string claims)
    {
        var key = await Here.Keys.CurrentAsync(CancellationToken.None);
        var token = Jwt.Of($$"""{"alg":"ES256","typ":"JWT","kid":"{{key.Id}}"}""", claims, Jwt.Es256(key.Private));
        Assert.NotNull(await RefusalAsync(token, service: "s"));
    }

    [Fact]
    public async Task A_token_without_a_key_id_or_with_another_keys_is_refused()
    {
        var key = await Here.Keys.CurrentAsync(CancellationToken.None);
        var claims = Jwt.Decode((await IssueAsync()).Split('.')[1]);
        foreach (var header in new[] { """{"alg":"ES256"}""", """{"alg":"ES256","kid":""}""", """{"alg":"ES256","kid":"x"}""" })
        {
            Time.Advance(TimeSpan.FromSeconds(2));
            Assert.NotNull(await RefusalAsync(Jwt.Of(header, claims, Jwt.Es256(key.Private))));
        }

        Assert.Null(await RefusalAsync(Jwt.Of($$"""{"alg":"ES256","kid":"{{key.Id}}"}""", claims, Jwt.Es256(key.Private))));
    }

    [Fact]
    public async Task Nonsense_makes_one_query_a_second_at_most()
    {
        await IssueAsync();
        Time.Advance(TimeSpan.FromSeconds(2));
        var before = Here.Database.Reads;

        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Task.Run(async () =>
            Assert.NotNull(await RefusalAsync(Jwt.Of($$"""{"alg":"ES256","kid":"{{i}}"}""", "{}", _ => new byte[64]))))));
        Assert.Equal(1, Here.Database.Reads - before);

        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await RefusalAsync(Jwt.Of("""{"alg":"ES256","kid":"x"}""", "{}", _ => new byte[64])));
        Assert.Equal(2, Here.Database.Reads - before);

        // What names no key, or one that is known, never makes any.
        var good = await IssueAsync();
        Time.Advance(TimeSpan.FromSeconds(2));
        foreach (var text in new[] { "x", "a.b.c", good[..^8], good + "x", Jwt.Of("""{"alg":"ES256"}""", "{}", Jwt.Nothing) })
            Assert.NotNull(await RefusalAsync(text));
        Assert.Equal(2, Here.Database.Reads - before);
    }

    [Fact]
    public async Task A_key_is_followed_by_another_and_counts_until_its_last_token_has_ended()
    {
        await IssueAsync();
        Time.Advance(KeyLifetime - TimeSpan.FromMinutes(1));
        var last = await IssueAsync();
        Time.Advance(TimeSpan.FromMinutes(1));

        var next = await IssueAsync();

        Assert.NotEqual(KeyOf(last), KeyOf(next));
        Assert.Null(await RefusalAsync(last));
        Assert.Equal([KeyOf(next), KeyOf(last)], await PublishedAsync());

        Time.Advance(Lifetime + TimeSpan.FromHours(1));
        Assert.Equal([KeyOf(next)], await PublishedAsync());
    }

    [Fact]
    public async Task A_key_whose_time_is_over_verifies_nothing_any_more()
    {
        var key = await Here.Keys.CurrentAsync(CancellationToken.None);
        Time.Advance(KeyLifetime + Lifetime + TimeSpan.FromHours(1));
        var end = Time.Now.AddMinutes(5).ToUnixTimeSeconds();
        var forged = Jwt.Of(
            $$"""{"alg":"ES256","kid":"{{key.Id}}"}""",
            $$"""{"iss":"registry","sub":"user:root","aud":"{{Service}}","iat":1,"nbf":1,"exp":{{end}},"access":[]}""",
            Jwt.Es256(key.Private));

        Assert.Contains("signed by no key", await RefusalAsync(forged), StringComparison.Ordinal);
        await IssueAsync();
        Assert.Contains("signed by no key", await RefusalAsync(forged), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_published_keys_verify_what_is_signed()
    {
        var token = await IssueAsync();
        var published = Assert.Single(await Here.Tokens.PublishedKeysAsync(CancellationToken.None));
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new()
            {
                X = Base64Url.DecodeFromChars(published.X),
                Y = Base64Url.DecodeFromChars(published.Y),
            },
        });
        Assert.True(JsonWebToken.Read(token, _ => [new(null, JwtKey.Es256, key)]).TryGet(out JsonElement _, out _));
    }

    [Fact]
    public async Task A_token_that_no_request_could_carry_is_not_issued()
    {
        TokenAccess[] access = [.. Enumerable.Range(0, 100).Select(i =>
        {
            var name = RepositoryName.Parse($"{new string('a', 60)}/{i}");
            return new TokenAccess(name, new(RegistryName.Default, name), [RegistryAction.Pull]);
        })];

        Assert.Null(await RefusalAsync((await IssueAsync(new TokenContent(Alice, Service, access[..20], false))).Text));
        var refused = await Here.Tokens.IssueAsync(new(Alice, Service, access, false), CancellationToken.None);
        Assert.False(refused.TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Invalid, errors[0].Reason);
    }

    [Fact]
    public async Task A_refresh_token_is_its_accounts_at_its_service_until_it_ends()
    {
        var secret = await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, Service, CancellationToken.None);

        var found = await FindAsync(secret);
        Assert.Equal((Alice.Name, Alice.Account), (found?.Principal, found?.Account));
        Assert.Null(await FindAsync(secret, "registry.example"));
        Assert.Null(await FindAsync(secret, "registry.example:5001"));
        Assert.Null(await FindAsync(secret.ToUpperInvariant()));
        Assert.Null(await FindAsync(secret + " "));
        Assert.Null(await FindAsync(""));
        Assert.Null(await FindAsync("' OR 1=1 --"));

        Time.Advance(new TokenSettings().RefreshLifetime - TimeSpan.FromSeconds(1));
        Assert.NotNull(await FindAsync(secret));
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await FindAsync(secret));
    }

    [Fact]
    public async Task A_refresh_token_is_kept_as_a_hash_alone_and_not_for_ever()
    {
        var secret = await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, Service, CancellationToken.None);
        Assert.True(secret.Length >= 43); // 256 bits
        var stored = Assert.Single(await HashesAsync());
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(secret)), stored);

        Time.Advance(new TokenSettings().RefreshLifetime + TimeSpan.FromSeconds(1));
        await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, Service, CancellationToken.None);
        Assert.NotEqual(stored, Assert.Single(await HashesAsync()));
    }

    [Fact]
    public async Task Tokens_remember_which_of_the_accounts_secrets_they_were_got_with()
    {
        var marked = Alice with { Account = Alice.Account! with { Key = "alice\nid", Mark = "mark" } };
        var bearer = await IssueAsync(new TokenContent(marked, Service, [], false));
        Assert.True((await Here.Tokens.ReadAsync(bearer.Text, CancellationToken.None)).TryGet(out var read, out _));
        Assert.Equal(marked.Account, read.Account);
        var refresh = await Here.Tokens.IssueRefreshAsync(marked, marked.Account!, Service, CancellationToken.None);
        Assert.Equal(marked.Account, (await FindAsync(refresh))?.Account);
    }

    [Fact]
    public async Task The_oldest_refresh_token_of_a_principal_for_a_host_ends_when_there_are_too_many()
    {
        var elsewhere = await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, "elsewhere.example", CancellationToken.None);
        var bob = Principal.User("bob") with { Account = new("htpasswd", "bob") };
        var another = await Here.Tokens.IssueRefreshAsync(bob, bob.Account!, Service, CancellationToken.None);
        var secrets = new List<string>();
        for (var i = 0; i < 1002; i++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(10));
            secrets.Add(await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, Service, CancellationToken.None));
        }

        Assert.Equal(1002, (await HashesAsync()).Length);
        Assert.NotNull(await FindAsync(elsewhere, "elsewhere.example"));
        Assert.Null(await FindAsync(secrets[0]));
        Assert.Null(await FindAsync(secrets[1]));
        Assert.NotNull(await FindAsync(secrets[2]));
        Assert.NotNull(await FindAsync(secrets[^1]));
        Assert.NotNull(await FindAsync(another));
    }

    [Fact]
    public async Task A_revocation_ends_the_refresh_tokens_that_were_there()
    {
        var before = await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, Service, CancellationToken.None);
        var bob = Principal.User("bob") with { Account = new("htpasswd", "bob") };
        var another = await Here.Tokens.IssueRefreshAsync(bob, bob.Account!, Service, CancellationToken.None);
        Time.Advance(TimeSpan.FromSeconds(1));
        await Here.Database.WriteAsync(
            session => session.ExecuteAsync(
                "INSERT INTO revocations (principal, revoked_before) VALUES (@name, registry_now())", ("@name", Alice.Name)),
            durable: true,
            CancellationToken.None);
        Time.Advance(TimeSpan.FromSeconds(1));
        await Here.Changes.RefreshAsync(CancellationToken.None);
        var after = await Here.Tokens.IssueRefreshAsync(Alice, Alice.Account!, Service, CancellationToken.None);

        Assert.Null(await FindAsync(before));
        Assert.NotNull(await FindAsync(another));
        Assert.NotNull(await FindAsync(after));
    }

    private protected static string KeyOf(string token)
    {
        using var header = JsonDocument.Parse(Jwt.Decode(token.Split('.')[0]));
        return header.RootElement.GetProperty("kid").GetString()!;
    }

    private protected async Task<string> IssueAsync(Node? node = null) => (await IssueAsync(Content(Alice), node)).Text;

    private protected async Task<string?> RefusalAsync(string text, Node? node = null, string service = Service)
    {
        var tokens = (node ?? Here).Tokens;
        return (await tokens.ReadAsync(text, CancellationToken.None)).Match(
            token => tokens.Judge(token, service)?.Message,
            errors =>
            {
                Assert.Equal(ErrorReason.Unauthenticated, Assert.Single(errors).Reason);
                return errors[0].Message;
            });
    }

    private static TokenContent Content(Principal principal) => new(principal, Service, [], Lists: false);

    private async Task<BearerToken> IssueAsync(TokenContent content, Node? node = null)
        => (await (node ?? Here).Tokens.IssueAsync(content, CancellationToken.None)).Match(
            token => token, errors => throw new InvalidOperationException(errors[0].Message));

    private async Task<ReadToken> ReadAsync(string text)
        => (await Here.Tokens.ReadAsync(text, CancellationToken.None)).Match(
            token => token, errors => throw new InvalidOperationException(errors[0].Message));

    private async Task<string[]> PublishedAsync()
        => [.. (await Here.Tokens.PublishedKeysAsync(CancellationToken.None)).Select(key => key.Id)];

    private async Task<RefreshedAccount?> FindAsync(string secret, string service = Service)
        => (await Here.Tokens.FindRefreshAsync(secret, service, CancellationToken.None)).Match<RefreshedAccount?>(
            found => found, _ => null);

    private Task<byte[][]> HashesAsync() => Here.Database.ReadAsync(
        async session =>
        {
            var hashes = new List<byte[]>();
            await using var rows = await session.Prepared("SELECT secret_hash FROM refresh_tokens").ExecuteReaderAsync();
            while (await rows.ReadAsync())
                hashes.Add(rows.GetFieldValue<byte[]>(0));
            return hashes.ToArray();
        },
        CancellationToken.None);

    /// <summary>One node: its connection to the database, and the keys that it knows.</summary>
    private protected sealed class Node : IAsyncDisposable
    {
        private Node(RegistryDatabase database, TimeProvider time)
        {
            var options = new AccessOptions();
            Database = new(database);
            Keys = new(Database, options, time);
            Changes = new(Database, time, NullLogger<AccessChanges>.Instance);
            Tokens = new(Keys, Database, Changes, options, time);
        }

        public CountingDatabase Database { get; }

        public SigningKeys Keys { get; }

        public AccessChanges Changes { get; }

        public BearerTokens Tokens { get; }

        public static async Task<Node> StartAsync(RegistryDatabase database, TimeProvider time)
        {
            var node = new Node(database, time);
            await node.Database.OpenAsync(CancellationToken.None);
            await node.Changes.RefreshAsync(CancellationToken.None);
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            Keys.Dispose();
            Changes.Dispose();
            await Database.DisposeAsync();
        }
    }
}
