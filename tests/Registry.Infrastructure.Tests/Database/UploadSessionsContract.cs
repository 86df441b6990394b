using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteUploadSessionsTests : UploadSessionsContract<SqliteTestDatabase>;

public sealed class PostgreSqlUploadSessionsTests : UploadSessionsContract<PostgreSqlTestDatabase>;

public abstract class UploadSessionsContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    [Fact]
    public async Task A_session_is_found_as_it_was_started_in_its_repository_alone()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)) with { Algorithm = DigestAlgorithm.Sha512, Store = "cloud", Owner = "bob" });

        Assert.Equal(session, await FindAsync(session));
        Assert.Null(await Uploads.FindAsync(Other, session.Id, CancellationToken.None));
        Assert.Null(await Uploads.FindAsync(Repository("team/app", "hub"), session.Id, CancellationToken.None));
        Assert.Null(await Uploads.FindAsync(App, UploadId.Create(), CancellationToken.None));
        Assert.True(await Uploads.ExistsAsync(session.Id, CancellationToken.None));
        Assert.False(await Catalog.ExistsAsync(App, CancellationToken.None)); // before anything is complete, there is no repository
    }

    [Fact]
    public async Task A_session_advances_from_the_version_that_was_read_and_from_no_other()
    {
        var first = await StartAsync(Session(Time.Now.AddHours(1)));
        var later = Time.Now.AddHours(2);

        Assert.True(await Uploads.AdvanceAsync(first, new(10, Complete: true, "here"), later, CancellationToken.None));
        Assert.False(await Uploads.AdvanceAsync(first, new(20, Complete: true, "there"), later.AddHours(1), CancellationToken.None));

        var second = await FindAsync(first);
        Assert.Equal(first with { Offset = 10, Version = 1, ExpiresAt = later, State = "here" }, second);
        Assert.True(await Uploads.AdvanceAsync(second!, new(20, Complete: true), later, CancellationToken.None));
        Assert.Equal(20, (await FindAsync(first))?.Offset);
    }

    [Fact]
    public async Task Of_many_who_advance_at_once_one_wins()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)));

        var won = await Task.WhenAll(Enumerable.Range(1, 50).Select(
            offset => Task.Run(() => Uploads.AdvanceAsync(session, new(offset, Complete: true), session.ExpiresAt, CancellationToken.None))));

        var winner = Assert.Single(won.Index(), outcome => outcome.Item).Index + 1;
        Assert.Equal(session with { Offset = winner, Version = 1 }, await FindAsync(session));
    }

    [Fact]
    public async Task Of_many_who_finish_at_once_one_wins()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)));

        var won = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            number => Task.Run(() => Links.AddAsync(App, Blob($"layer {number}"), session, CancellationToken.None))));

        Assert.Single(won, true);
        Assert.Equal("1", await CountsAsync("repository_blobs"));
    }

    [Fact]
    public async Task A_session_that_is_gone_does_not_advance()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)));
        Assert.Null(await Uploads.RemoveAsync(Other, Alice.Name, session.Id, CancellationToken.None));
        Assert.Null(await Uploads.RemoveAsync(App, "mallory", session.Id, CancellationToken.None));
        Assert.Equal(session, await Uploads.RemoveAsync(App, Alice.Name, session.Id, CancellationToken.None));

        Assert.False(await Uploads.AdvanceAsync(session, new(10, Complete: true), session.ExpiresAt, CancellationToken.None));
        Assert.Null(await Uploads.RemoveAsync(App, Alice.Name, session.Id, CancellationToken.None));
        Assert.Null(await FindAsync(session));
        Assert.False(await Uploads.ExistsAsync(session.Id, CancellationToken.None));
    }

    [Fact]
    public async Task An_expired_session_is_not_found_and_is_listed_for_its_removal()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)));

        Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await FindAsync(session));
        Assert.Empty(await Uploads.ListExpiredAsync(10, CancellationToken.None));

        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await FindAsync(session));
        Assert.Equal(session, Assert.Single(await Uploads.ListExpiredAsync(10, CancellationToken.None)));
    }

    [Fact]
    public async Task Only_what_has_expired_is_removed_as_expired()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)) with { State = "here" });
        Assert.Null(await Uploads.RemoveExpiredAsync(session.Id, CancellationToken.None));
        Assert.Null(await Uploads.RemoveExpiredAsync(UploadId.Create(), CancellationToken.None));

        Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(session, await Uploads.RemoveExpiredAsync(session.Id, CancellationToken.None));
        Assert.Null(await Uploads.RemoveExpiredAsync(session.Id, CancellationToken.None));
    }

    [Fact]
    public async Task Advancing_renews_the_expiry()
    {
        var session = await StartAsync(Session(Time.Now.AddHours(1)));
        await Uploads.AdvanceAsync(session, new(1, Complete: true), Time.Now.AddHours(3), CancellationToken.None);

        Time.Advance(TimeSpan.FromHours(2));

        Assert.NotNull(await FindAsync(session));
        Assert.Empty(await Uploads.ListExpiredAsync(10, CancellationToken.None));
    }

    [Fact]
    public async Task Expired_sessions_are_listed_up_to_a_limit_and_the_oldest_first()
    {
        UploadSession[] sessions = [Session(Time.Now.AddHours(3)), Session(Time.Now.AddHours(1), Other), Session(Time.Now.AddHours(2))];
        foreach (var session in sessions)
            await StartAsync(session);

        Time.Advance(TimeSpan.FromHours(4));

        Assert.Equal([sessions[1], sessions[2]], await Uploads.ListExpiredAsync(2, CancellationToken.None));
        Assert.Equal([sessions[1], sessions[2], sessions[0]], await Uploads.ListExpiredAsync(10, CancellationToken.None));
    }

    private async Task<UploadSession> StartAsync(UploadSession session)
    {
        await Uploads.StartAsync(session, CancellationToken.None);
        return session;
    }

    private Task<UploadSession?> FindAsync(UploadSession session) => Uploads.FindAsync(session.Repository, session.Id, CancellationToken.None);
}
