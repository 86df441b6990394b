using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Htpasswd;
using Registry.Infrastructure.Access.Passwords;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

public sealed class HtpasswdProviderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly PasswordChecks _checks;
    private readonly HtpasswdProvider _provider;

    public HtpasswdProviderTests()
    {
        _checks = new(_time);
        _provider = new(File, _checks, _time, NullLogger<HtpasswdProvider>.Instance);
        Write($"# people\n{Line("alice", "wonder")}\n\n{Line("bob", "build")}\n");
        _provider.Open();
    }

    private string File => Path.Combine(_folder.Path, "htpasswd");

    public void Dispose()
    {
        _checks.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("alice", "wonder")]
    [InlineData("bob", "build")]
    public async Task Who_has_the_password_is_that_user(string user, string password)
    {
        Assert.Equal(user, (await VerifyAsync(user, password))?.Name["user:".Length..]);
        Assert.Equal(user, (await VerifyAsync(user, password))?.Name["user:".Length..]); // from memory, the second time
    }

    [Theory]
    [InlineData("alice", "build")]
    [InlineData("alice", "")]
    [InlineData("alice", "wonder\0")]
    [InlineData("Alice", "wonder")]
    [InlineData("carol", "wonder")]
    [InlineData("# people", "")]
    public async Task Everybody_else_is_nobody(string user, string password)
    {
        await VerifyAsync("alice", "wonder");
        Assert.Null(await VerifyAsync(user, password));
    }

    [Fact]
    public async Task A_change_counts_within_a_second()
    {
        Assert.NotNull(await VerifyAsync("alice", "wonder"));
        Write(Line("alice", "another"));
        _time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.Null(await VerifyAsync("alice", "wonder"));
        Assert.NotNull(await VerifyAsync("alice", "another"));
        Assert.Null(await VerifyAsync("bob", "build"));
    }

    [Fact]
    public void Whatever_a_file_has_it_is_read_or_refused_by_its_line()
    {
        var parts = Gen.Elements("alice", "bob", ":", "$2y$10$", "$2y$", "$apr1$", "\n", "\r\n", "#", " ", "\t", "\0", "\ufeff", "ü", "😀",
            "abcdefghijklmnopqrstuuaB0XGmWsGp.MgqAVx4Na9PcnH2YCYrq", "{SHA}", "99$");
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(parts.ListOf().Select(string.Concat).ToArbitrary(), content =>
            {
                System.IO.File.WriteAllText(File, content);
                var provider = new HtpasswdProvider(File, _checks, _time, NullLogger<HtpasswdProvider>.Instance);
                try
                {
                    provider.Open();
                    return true;
                }
                catch (StartRefusedException e)
                {
                    return e.Message.Contains("line ", StringComparison.Ordinal);
                }
            }));
    }

    [Fact]
    public async Task A_new_password_ends_what_was_got_with_the_old_one_and_nothing_else()
    {
        var account = (await VerifyAsync("alice", "wonder"))!.Account!;
        Assert.NotNull(await FindAsync(account));
        Assert.DoesNotContain(account.Mark!, await System.IO.File.ReadAllTextAsync(File), StringComparison.OrdinalIgnoreCase);

        Write(Line("alice", "another"));
        _time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.Null(await FindAsync(account));
        Assert.NotNull(await FindAsync(account with { Mark = null })); // as an access token knows its owner
        Assert.NotNull(await FindAsync((await VerifyAsync("alice", "another"))!.Account!));
    }

    [Fact]
    public async Task A_file_that_became_unreadable_leaves_what_was_read_before()
    {
        Write("alice:plain\n");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(await VerifyAsync("alice", "wonder"));

        System.IO.File.Delete(File);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(await VerifyAsync("bob", "build"));

        Write(Line("carol", "new"));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(await VerifyAsync("carol", "new"));
        Assert.Null(await VerifyAsync("alice", "wonder"));
    }

    [Fact]
    public async Task A_change_that_shows_neither_in_length_nor_in_time_counts()
    {
        var written = System.IO.File.GetLastWriteTimeUtc(File);
        var content = (await System.IO.File.ReadAllTextAsync(File)).Replace(
            Line("alice", "wonder"), Line("alice", "secret"), StringComparison.Ordinal);
        await System.IO.File.WriteAllTextAsync(File, content);
        System.IO.File.SetLastWriteTimeUtc(File, written);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await VerifyAsync("alice", "wonder"));
        Assert.NotNull(await VerifyAsync("alice", "secret"));
    }

    [Fact]
    public async Task A_link_that_is_turned_to_another_file_counts()
    {
        System.IO.File.Move(File, $"{File}.1");
        System.IO.File.CreateSymbolicLink(File, $"{File}.1");
        var provider = NewProvider();
        provider.Open();

        await System.IO.File.WriteAllTextAsync($"{File}.2", Line("carol", "new"));
        System.IO.File.SetLastWriteTimeUtc($"{File}.2", DateTime.UnixEpoch);
        System.IO.File.CreateSymbolicLink($"{File}.new", $"{File}.2");
        System.IO.File.Move($"{File}.new", File, overwrite: true);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await VerifyAsync(provider, "alice", "wonder"));
        Assert.NotNull(await VerifyAsync(provider, "carol", "new"));
    }

    [Fact]
    public async Task What_is_being_written_counts_when_it_is_done()
    {
        Write("");
        System.IO.File.SetLastWriteTimeUtc(File, (_time.Now + TimeSpan.FromSeconds(1.9)).UtcDateTime);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(await VerifyAsync("alice", "wonder"));
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Null(await VerifyAsync("bob", "build"));
    }

    [Fact]
    public void A_file_that_is_not_in_utf8_stops_the_start()
    {
        System.IO.File.WriteAllBytes(File, [0xFC, (byte)':']);
        Assert.Contains(
            "not in UTF-8", Assert.Throws<StartRefusedException>(NewProvider().Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_forgotten_after_a_while_and_found_right_again()
    {
        Assert.NotNull(await VerifyAsync("alice", "wonder"));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.NotNull(await VerifyAsync("alice", "wonder"));
    }

    [Fact]
    public async Task Too_many_at_once_are_told_to_come_back()
    {
        // Costly ones, so that none is done before the last has come.
        Write(string.Join('\n', Enumerable.Range(0, 3).Select(i => $"user{i}:$2y$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")));
        _time.Advance(TimeSpan.FromSeconds(2));
        using var over = new CancellationTokenSource();

        var all = Enumerable.Range(0, 400)
            .Select(i => _provider.VerifyAsync("user0", "wrong", over.Token)).ToArray();
        var done = all.Where(task => task.IsCompletedSuccessfully).ToArray();
        await over.CancelAsync();

        Assert.InRange(done.Length, 200, 320);
        foreach (var task in done)
        {
            Assert.False((await task).TryGet(out _, out var errors));
            Assert.Equal(ErrorReason.Unavailable, errors[0].Reason);
        }

        foreach (var task in all.Except(done))
        {
            try
            {
                await task;
            }
            catch (OperationCanceledException)
            {
                // it was waiting
            }
        }
    }

    [Fact]
    public async Task Many_at_once_are_all_answered_rightly()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 64)
            .Select(i => VerifyAsync(i % 2 == 0 ? "alice" : "bob", i % 4 < 2 ? "wonder" : "build")));
        Assert.Equal(
            Enumerable.Range(0, 64).Select(i => (i % 2 == 0) == (i % 4 < 2)), answers.Select(answer => answer is not null));
    }

    [Theory]
    [InlineData("alice", "line 1 is not user:hash")]
    [InlineData(":$2y$04$x", "line 1 is not user:hash")]
    [InlineData("\nalice:{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY=", "line 2 has no bcrypt hash of a cost up to 14 for 'alice'")]
    public void A_file_that_is_not_understood_stops_the_start(string content, string problem)
    {
        Write(content);
        var refused = Assert.Throws<StartRefusedException>(NewProvider().Open);
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.Contains("Registry:Access:Htpasswd:Path", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_that_stands_there_twice_stops_the_start()
    {
        Write($"{Line("alice", "a")}\n{Line("alice", "b")}");
        Assert.Contains(
            "line 2 has 'alice' again", Assert.Throws<StartRefusedException>(NewProvider().Open).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_stops_the_start()
    {
        System.IO.File.Delete(File);
        Assert.Contains(
            "there is no such file", Assert.Throws<StartRefusedException>(NewProvider().Open).Message,
            StringComparison.Ordinal);
    }

    private HtpasswdProvider NewProvider() => new(File, _checks, _time, NullLogger<HtpasswdProvider>.Instance);

    private static string Line(string user, string password) => Htpasswd.Line(user, password);

    // Another length, or another time of writing: what a file system tells of a change.
    private void Write(string content)
    {
        System.IO.File.WriteAllText(File, content);
        System.IO.File.SetLastWriteTimeUtc(File, DateTime.UnixEpoch.AddSeconds(Random.Shared.Next()));
    }

    private async Task<Principal?> FindAsync(AccountReference account)
        => (await _provider.FindAsync(account, CancellationToken.None)).Match(found => found, _ => null);

    private Task<Principal?> VerifyAsync(string user, string password) => VerifyAsync(_provider, user, password);

    private static async Task<Principal?> VerifyAsync(HtpasswdProvider provider, string user, string password)
        => (await provider.VerifyAsync(user, password, CancellationToken.None)).Match<Principal?>(
            principal => principal,
            errors =>
            {
                Assert.Equal(ErrorReason.Unauthenticated, Assert.Single(errors).Reason);
                return null;
            });
}
