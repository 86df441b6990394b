using Registry.Application.Uploads;
using Registry.Domain.Errors;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Database;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteUploadClaimsTests : UploadClaimsContract<SqliteTestDatabase>;

public sealed class PostgreSqlUploadClaimsTests : UploadClaimsContract<PostgreSqlTestDatabase>;

/// <summary>The statements of a shared database, which are the same on every kind.</summary>
public sealed class SqliteSharedUploadClaimsTests : SharedUploadClaimsContract<SqliteTestDatabase>;

public sealed class PostgreSqlSharedUploadClaimsTests : SharedUploadClaimsContract<PostgreSqlTestDatabase>;

/// <summary>One writer for each session.</summary>
public abstract class UploadClaimsContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    [Fact]
    public async Task A_session_has_one_writer_at_a_time()
    {
        var (session, other) = (await StartAsync(), await StartAsync());
        var claim = await ClaimAsync(session);
        Assert.NotNull(claim);
        Assert.Null(await ClaimAsync(session));
        await using var neighbour = await ClaimAsync(other);
        Assert.NotNull(neighbour);

        await claim.DisposeAsync();
        await using var next = await ClaimAsync(session);
        Assert.NotNull(next);
        await claim.DisposeAsync(); // a second time: it must not free what another has now
        Assert.Null(await ClaimAsync(session));
    }

    [Fact]
    public async Task Of_many_who_claim_at_once_one_gets_it()
    {
        var session = await StartAsync();
        var claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => ClaimAsync(session))));
        await using var one = Assert.Single(claims, claim => claim is not null);
    }

    [Fact]
    public async Task A_claim_has_the_session_as_it_stands_and_can_change_it_once()
    {
        var session = await StartAsync();
        await using (var claim = await ClaimAsync(session))
        {
            Assert.Equal(session with { Version = claim!.Session.Version }, claim.Session);
            Assert.True(await AdvanceAsync(claim, 10, "here"));
            claim.Settle();
            Assert.False(await AdvanceAsync(claim, 20, "there"));
        }

        await using var next = await ClaimAsync(session);
        Assert.Equal((10, "here"), (next!.Session.Offset, next.Session.State));
        Assert.True(await Links.AddAsync(App, Blob("layer"), next.Session, CancellationToken.None));
    }

    [Fact]
    public async Task Nobody_claims_what_is_not_his_or_has_expired()
    {
        var session = await StartAsync();
        Assert.Null(await Uploads.ClaimAsync(App, "mallory", session.Id, CancellationToken.None));
        Assert.Null(await Uploads.ClaimAsync(Other, Alice.Name, session.Id, CancellationToken.None));
        Assert.Null(await Uploads.ClaimAsync(App, Alice.Name, UploadId.Create(), CancellationToken.None));
        await using (var claim = await ClaimAsync(session))
            Assert.NotNull(claim); // nobody's vain try is in the way

        Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await ClaimAsync(session));
    }

    [Fact]
    public async Task What_is_claimed_is_not_removed_as_expired_but_can_be_cancelled()
    {
        var session = await StartAsync();
        await using (var claim = await ClaimAsync(session))
        {
            await ExpireAsync(claim!);
            Assert.Null(await Uploads.RemoveExpiredAsync(session.Id, CancellationToken.None));
            Assert.True(await AdvanceAsync(claim!, 10, "here"));
        }

        await using (var claim = await ClaimAsync(session))
        {
            Assert.NotNull(await Uploads.RemoveAsync(App, Alice.Name, session.Id, CancellationToken.None));
            Assert.False(await AdvanceAsync(claim!, 20, "there"));
        }

        Assert.False(await Uploads.ExistsAsync(session.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_change_to_a_claimed_session_costs_one_write()
    {
        var session = await StartAsync();
        var before = Database.Writes;
        await using (var claim = await ClaimAsync(session))
        {
            await AdvanceAsync(claim!, 10, null);
            claim!.Settle();
        }

        Assert.Equal(Database.IsShared ? 2 : 1, Database.Writes - before);
    }

    private protected async Task<UploadSession> StartAsync()
    {
        var session = Session(Time.Now.AddHours(1));
        await Uploads.StartAsync(session, CancellationToken.None);
        return session;
    }

    private protected Task<IUploadClaim?> ClaimAsync(UploadSession session, IUploadSessions? node = null)
        => (node ?? Uploads).ClaimAsync(App, Alice.Name, session.Id, CancellationToken.None);

    private protected Task<bool> AdvanceAsync(IUploadClaim claim, long offset, string? state, IUploadSessions? node = null)
        => (node ?? Uploads).AdvanceAsync(
            claim.Session, new(offset, Complete: true, state), Time.Now.AddHours(1), CancellationToken.None);

    /// <summary>Lets the session expire while its claim is kept up.</summary>
    private protected virtual Task ExpireAsync(IUploadClaim claim)
    {
        Time.Advance(TimeSpan.FromHours(2));
        return Task.CompletedTask;
    }
}

/// <summary>One writer for each session among several nodes, of which any may die.</summary>
public abstract class SharedUploadClaimsContract<TDatabase> : UploadClaimsContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    private readonly TimeSpan _beat = UploadSessions.ClaimLength / 4;
    private UnsteadyDatabase _unsteady = null!;
    private IUploadSessions _other = null!;

    private protected override CountingDatabase Share(RegistryDatabase database)
    {
        var shared = new CountingDatabase(_unsteady = new UnsteadyDatabase(database));
        _other = new UploadSessions(shared, Time);
        return shared;
    }

    [Fact]
    public async Task Another_node_cannot_claim_what_is_claimed()
    {
        var session = await StartAsync();
        await using (var claim = await ClaimAsync(session))
        {
            Assert.NotNull(claim);
            Assert.Null(await ClaimAsync(session, _other));
        }

        await using var next = await ClaimAsync(session, _other);
        Assert.NotNull(next);
        Assert.Null(await ClaimAsync(session));
    }

    [Fact]
    public async Task A_claim_is_kept_up_as_long_as_its_request_runs()
    {
        var session = await StartAsync();
        await using var claim = await ClaimAsync(session);
        for (var beat = 0; beat < 12; beat++)
            await BeatAsync();
        Assert.Null(await ClaimAsync(session, _other));
        Assert.False(claim!.Lost.IsCancellationRequested);
        Assert.True(await AdvanceAsync(claim, 10, "here"));
    }

    [Fact]
    public async Task The_session_of_a_dead_node_goes_on_elsewhere_and_the_node_changes_nothing_when_it_comes_back()
    {
        var session = await StartAsync();
        await using var dead = await ClaimAsync(session);
        _unsteady.Fails = true;
        Time.Advance(UploadSessions.ClaimLength);
        _unsteady.Fails = false;

        await using (var claim = await ClaimAsync(session, _other))
        {
            Assert.NotNull(claim);
            Assert.False(await AdvanceAsync(dead!, 10, "here"));
            Assert.False(await Links.AddAsync(App, Blob("layer"), dead!.Session, CancellationToken.None));
            Assert.True(await AdvanceAsync(claim, 20, "there", _other));
        }

        await dead.DisposeAsync();
        Assert.Equal(20, (await Uploads.FindAsync(App, session.Id, CancellationToken.None))?.Offset);
    }

    [Fact]
    public async Task Who_has_lost_his_claim_is_told()
    {
        var session = await StartAsync();
        await using var claim = await ClaimAsync(session);
        await Uploads.RemoveAsync(App, Alice.Name, session.Id, CancellationToken.None);
        await BeatAsync();
        await WaitUntilAsync(() => claim!.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_claim_that_cannot_be_renewed_counts_as_lost_before_another_node_can_have_it()
    {
        var session = await StartAsync();
        await using var claim = await ClaimAsync(session);
        _unsteady.Fails = true;
        await BeatAsync();
        await BeatAsync();
        Assert.False(claim!.Lost.IsCancellationRequested);
        await BeatAsync();
        await WaitUntilAsync(() => claim.Lost.IsCancellationRequested);
        _unsteady.Fails = false;
        Assert.Null(await ClaimAsync(session, _other));
    }

    [Fact]
    public async Task A_claim_that_cannot_be_given_back_runs_out()
    {
        var session = await StartAsync();
        var claim = await ClaimAsync(session);
        _unsteady.Fails = true;
        await claim!.DisposeAsync();
        _unsteady.Fails = false;

        Assert.Null(await ClaimAsync(session, _other));
        Time.Advance(UploadSessions.ClaimLength);
        await using var next = await ClaimAsync(session, _other);
        Assert.NotNull(next);
    }

    private protected override async Task ExpireAsync(IUploadClaim claim)
    {
        var end = Time.Now.AddHours(1).AddSeconds(1);
        while (Time.Now < end)
            await BeatAsync();
    }

    private async Task BeatAsync()
    {
        var before = Database.Writes;
        Time.Advance(_beat);
        await WaitUntilAsync(() => Database.Writes > before);
        await Task.Delay(1); // what follows the write
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(1, deadline.Token);
    }

    /// <summary>A database that several nodes share, and that fails when it is told to.</summary>
    private sealed class UnsteadyDatabase(RegistryDatabase database) : RegistryDatabase
    {
        public bool Fails { get; set; }

        public override bool IsShared => true;

        public override Task OpenAsync(CancellationToken cancellationToken) => database.OpenAsync(cancellationToken);

        public override Task<bool> IsCurrentAsync(CancellationToken cancellationToken) => database.IsCurrentAsync(cancellationToken);

        public override Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken)
            => database.ReadAsync(read, cancellationToken);

        public override Task<T> WriteAsync<T>(
            Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
            => Fails
                ? Task.FromException<T>(new StorageException(OciError.Unavailable("database"), new TimeoutException()))
                : database.WriteAsync(write, durable, cancellationToken);

        public override Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => database.AloneAsync(work, cancellationToken);

        public override ValueTask DisposeAsync() => database.DisposeAsync();
    }
}
