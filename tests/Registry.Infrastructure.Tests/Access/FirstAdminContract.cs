using Microsoft.Extensions.Logging.Abstractions;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Infrastructure.Access.Local;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

public sealed class SqliteFirstAdminTests : FirstAdminContract<SqliteTestDatabase>;

public sealed class PostgreSqlFirstAdminTests : FirstAdminContract<PostgreSqlTestDatabase>
{
    [Fact]
    public async Task Of_nodes_that_start_at_once_one_makes_the_user_and_keeps_its_password()
    {
        var nodes = Enumerable.Range(0, 6).Select(_ => Place.Connect(Time)).ToArray();
        foreach (var node in nodes)
            await node.OpenAsync(CancellationToken.None);
        var starts = await Task.WhenAll(nodes.Select(async (database, number) =>
        {
            var start = Start(database, data: Folder.Combine($"node{number}"));
            await database.AloneAsync(() => start.PrepareAsync(CancellationToken.None), CancellationToken.None);
            return start;
        }));

        var written = Assert.Single(starts, start => start.Written is not null).Written!;
        Assert.Equal([written], Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories));
        Assert.Equal("1 1", await CountsAsync("users", "access_rules"));
        await ExpectAdminAsync(await ReadAsync(written));
        foreach (var node in nodes)
            await node.DisposeAsync();
    }
}

/// <summary>The user that the first start makes.</summary>
public abstract class FirstAdminContract<TDatabase> : MetadataContract<TDatabase>, IDisposable
    where TDatabase : TestDatabase, new()
{
    private protected TemporaryFolder Folder { get; } = new();

    private string Own => Folder.Combine("data", "initial-admin-password");

    private string Given => Folder.Combine("given");

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_first_start_makes_one_that_may_do_everything()
    {
        var start = Start();
        await start.PrepareAsync(CancellationToken.None);

        Assert.Equal(Own, start.Written);
        var admin = await ExpectAdminAsync(await ReadAsync(Own));
        var rule = Assert.Single((await KnowAsync()).Current.Rules.Values);
        Assert.Equal(admin.Subjects[0], rule.Subject);
        Assert.False(rule.Denies);
        Assert.All(Enum.GetValues<RegistryAction>(), action => Assert.True(rule.Grant.CoversEverything(action)));
    }

    [Fact]
    public async Task The_password_is_long_readable_and_for_the_servers_user_alone() // S-14
    {
        await Start().PrepareAsync(CancellationToken.None);
        var password = await ReadAsync(Own);
        Assert.Matches("^[a-z2-9]{5}(-[a-z2-9]{5}){5}\\z", password); // 30 of 32 characters: 150 bits
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Own));
        Assert.Equal([Own], Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories)); // no other copy
    }

    [Fact]
    public async Task It_is_made_once()
    {
        await Start().PrepareAsync(CancellationToken.None);
        var password = await ReadAsync(Own);

        var again = Start();
        await again.PrepareAsync(CancellationToken.None);

        Assert.Null(again.Written);
        Assert.Equal(password, await ReadAsync(Own));
        await ExpectAdminAsync(password);
        Assert.Equal("1 1", await CountsAsync("users", "access_rules"));
    }

    [Fact]
    public async Task A_start_that_was_killed_behind_the_file_is_taken_up_with_the_same_password()
    {
        Directory.CreateDirectory(Folder.Combine("data"));
        InitialPassword.Write(Own, "was-shown-already-to-somebody");
        await Start().PrepareAsync(CancellationToken.None);
        Assert.Equal("was-shown-already-to-somebody", await ReadAsync(Own));
        await ExpectAdminAsync("was-shown-already-to-somebody");
    }

    [Fact]
    public async Task A_file_whose_password_does_not_count_any_more_goes_with_the_next_start()
    {
        await Start().PrepareAsync(CancellationToken.None);
        using var node = await new LocalNode(Database, Time).KnowAsync();
        await node.Users.ChangeAsync(AccountName.Parse("admin"), new("another password", null), null, LocalNode.Nobody, CancellationToken.None);
        await Start().PrepareAsync(CancellationToken.None);
        Assert.False(File.Exists(Own));
        await ExpectAdminAsync("another password");
    }

    [Theory]
    [InlineData("given password", "given password")]
    [InlineData("given password\n", "given password")]
    [InlineData("given password\r\n", "given password")]
    [InlineData(" spaces count ", " spaces count ")]
    public async Task A_password_that_is_given_counts_and_nothing_is_written(string content, string password)
    {
        await File.WriteAllTextAsync(Given, content);
        var start = Start(Given);
        await start.PrepareAsync(CancellationToken.None);
        Assert.Null(start.Written);
        Assert.False(Directory.Exists(Folder.Combine("data")));
        await ExpectAdminAsync(password);
    }

    [Theory]
    [InlineData(null, "cannot be read")]
    [InlineData("", "8 characters")]
    [InlineData("short\n", "8 characters")]
    [InlineData("two lines\nof them", "control")]
    public async Task A_file_without_a_password_is_named_with_its_key(string? content, string why)
    {
        if (content is not null)
            await File.WriteAllTextAsync(Given, content);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => Start(Given).PrepareAsync(CancellationToken.None));
        Assert.Contains("Registry:Access:Admin:PasswordFile", refused.Message, StringComparison.Ordinal);
        Assert.Contains(Given, refused.Message, StringComparison.Ordinal);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("short", refused.Message, StringComparison.Ordinal);
        Assert.Equal("0 0", await CountsAsync("users", "access_rules"));
    }

    [Fact]
    public async Task Where_the_password_cannot_be_kept_nobody_is_made()
    {
        await File.WriteAllTextAsync(Folder.Combine("data"), "a file in the folder's place");
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => Start().PrepareAsync(CancellationToken.None));
        Assert.Contains(Own, refused.Message, StringComparison.Ordinal);
        Assert.Contains("Registry:Access:Admin:PasswordFile", refused.Message, StringComparison.Ordinal);
        Assert.Equal("0 0", await CountsAsync("users", "access_rules"));
    }

    [Fact]
    public async Task Where_there_is_a_user_nobody_is_made()
    {
        using var node = await new LocalNode(Database, Time).KnowAsync();
        await node.AddAsync("alice", "a good password");
        await Start(Given).PrepareAsync(CancellationToken.None); // which is not even read
        Assert.Equal("1 0", await CountsAsync("users", "access_rules"));
    }

    [Fact]
    public async Task Whoever_takes_all_users_away_does_not_get_it_back()
    {
        await Start().PrepareAsync(CancellationToken.None);
        await Database.WriteAsync(
            session => session.ExecuteAsync("DELETE FROM users"), durable: true, CancellationToken.None);

        var again = Start();
        await again.PrepareAsync(CancellationToken.None);

        Assert.Null(again.Written);
        Assert.Equal("0 1", await CountsAsync("users", "access_rules"));
    }

    [Fact]
    public async Task Nor_does_whoever_has_added_one_before_the_first_start()
    {
        using var node = await new LocalNode(Database, Time).KnowAsync();
        await node.AddAsync("alice", "a good password");
        await Database.WriteAsync(
            session => session.ExecuteAsync("DELETE FROM users"), durable: true, CancellationToken.None);

        await Start().PrepareAsync(CancellationToken.None);

        Assert.Equal("0 0", await CountsAsync("users", "access_rules"));
    }

    private protected FirstAdmin Start(RegistryDatabase database, string data, string? given = null)
        => new(
            database, new(database, Time, NullLogger<AccessChanges>.Instance), new AdminSettings { PasswordFile = given }, data,
            NullLogger<FirstAdmin>.Instance);

    private protected async Task<Principal> ExpectAdminAsync(string password)
    {
        using var node = await new LocalNode(Database, Time).KnowAsync();
        var admin = await node.SignInAsync("admin", password);
        Assert.Equal("user:admin", admin?.Name);
        return admin!;
    }

    private protected static async Task<string> ReadAsync(string file) => (await File.ReadAllTextAsync(file)).TrimEnd('\n');

    private FirstAdmin Start(string? given = null) => Start(Database, Folder.Combine("data"), given);

    private async Task<AccessChanges> KnowAsync()
    {
        var changes = new AccessChanges(Database, Time, NullLogger<AccessChanges>.Instance);
        await changes.RefreshAsync(CancellationToken.None);
        return changes;
    }
}
