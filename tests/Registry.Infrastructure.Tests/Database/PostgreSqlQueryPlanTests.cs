using System.Collections.Concurrent;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Registry.Application.GarbageCollection;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Database;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>
/// On a data set of fixed size, the statements that requests and lists run find their rows by an index: planned for their
/// values, and planned once for all values as the server does with prepared statements. They are those that the adapters
/// really send, as the server's own log of plans shows them.
/// </summary>
public sealed class PostgreSqlQueryPlanTests : IAsyncLifetime
{
    private readonly string _schema = $"test_{Guid.NewGuid():N}";
    private readonly Leases _leases = new(new GarbageCollectionOptions());
    private readonly ConcurrentQueue<string> _plans = new();
    private PostgreSqlDatabase _database = null!;
    private ManifestOutbox _outbox = null!;
    private ManifestIndex _manifests = null!;
    private BlobLinks _links = null!;
    private TagIndex _tags = null!;

    public static TheoryData<string> PlanModes => ["force_custom_plan", "force_generic_plan"];

    public async Task InitializeAsync()
    {
        var place = await SharedPostgreSql.UseSchemaAsync(_schema);
        _database = new(place, new(), NullLogger<PostgreSqlDatabase>.Instance);
        await _database.OpenAsync(CancellationToken.None);
        _outbox = new(_database);
        _manifests = new(_database, _leases, _outbox);
        _links = new(_database, _leases);
        _tags = new(_database, _leases, _outbox);
        await _links.AddAsync(App, Blob("config"), session: null, CancellationToken.None);
        await _manifests.PutAsync(Image("image", "config").WithSubject(DigestOf("subject")).Tagged("v1"), CancellationToken.None);
        await FillAsync();
    }

    public async Task DisposeAsync()
    {
        _outbox.Dispose();
        await _database.DisposeAsync();
        await SharedPostgreSql.DropSchemaAsync(_schema);
    }

    [Theory]
    [MemberData(nameof(PlanModes))]
    public async Task Pulls_and_looks_find_their_rows_by_index(string mode)
        => await ExpectSearchesAsync(mode, async _ =>
        {
            foreach (var reference in new[] { Reference.Parse("v1"), DigestOf("image") })
            {
                await _manifests.FindAsync(App, reference, CancellationToken.None);
                await _manifests.FindAndHoldAsync(App, reference, CancellationToken.None);
            }

            await _links.FindAsync(App, DigestOf("config"), CancellationToken.None);
            await _links.FindAndHoldAsync(App, DigestOf("config"), CancellationToken.None);
            await _links.ListRepositoriesAsync(DigestOf("config"), 10, CancellationToken.None);
        });

    [Fact]
    public async Task Lists_go_on_at_a_key_and_sort_nothing()
    {
        // As often as it takes the server to choose between both ways of planning, and beyond.
        for (var round = 0; round < 10; round++)
        {
            var (last, digest) = round % 2 == 0 ? (null, null) : ("v09000", DigestOf("last").ToString());
            var plans = await ExpectSearchesAsync("auto", async database =>
            {
                await _tags.ListAsync(App, new(100, last), CancellationToken.None);
                await _tags.ListDetailsAsync(App, new(100, last), CancellationToken.None);
                await new ReferrerIndex(database).ListAsync(App, DigestOf("subject"), null, new(100, digest), CancellationToken.None);
                await new ReferrerIndex(database).ListAsync(App, DigestOf("subject"), "application/x.sbom", new(100, digest), CancellationToken.None);
                await new RepositoryCatalog(database).ListAsync(RegistryName.Default, last is null ? null : "m/0900", "m/", 100, CancellationToken.None);
                await new RepositoryCatalog(database).ListAsync(RegistryName.Default, null, "", 100, CancellationToken.None);
            });
            Assert.DoesNotContain(plans, plan => plan.Contains("Sort", StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(PlanModes))]
    public async Task Whether_a_name_is_taken_is_one_search_past_all_that_is_about_others(string mode)
    {
        var plans = await ExpectSearchesAsync(
            mode, database => new RepositoryCatalog(database).IsTakenAsync(App, CancellationToken.None));
        Assert.Contains("manifests_without_subject", Assert.Single(plans), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(PlanModes))]
    public async Task Pushes_deletes_and_uploads_find_their_rows_by_index(string mode)
        => await ExpectSearchesAsync(mode, async recording =>
        {
            var uploads = new UploadSessions(recording, TimeProvider.System);
            var session = Session(DateTimeOffset.UtcNow.AddHours(1));
            await uploads.StartAsync(session, CancellationToken.None);
            await uploads.FindAsync(App, session.Id, CancellationToken.None);
            await uploads.ExistsAsync(session.Id, CancellationToken.None);
            await uploads.ListExpiredAsync(100, CancellationToken.None);
            await using (var claim = await uploads.ClaimAsync(App, Alice.Name, session.Id, CancellationToken.None))
                await uploads.AdvanceAsync(claim!.Session, new(1, Complete: true), session.ExpiresAt, CancellationToken.None);
            await uploads.RemoveExpiredAsync(session.Id, CancellationToken.None);
            await uploads.RemoveAsync(App, Alice.Name, session.Id, CancellationToken.None);
            await _links.AddAsync(App, Blob("config"), session, CancellationToken.None);
            await _links.AddAsync(App, Blob("config"), session: null, CancellationToken.None);
            await _links.MountAsync(App, Other, DigestOf("config"), "main", CancellationToken.None);
            await _manifests.PutAsync(Image("second", "config").Tagged("v1", "v2"), CancellationToken.None);
            await _manifests.PutAsync(Index("index", DigestOf("image")).Tagged("v1"), CancellationToken.None);
            await _tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);
            await _manifests.DeleteAsync(App, DigestOf("index"), Alice, CancellationToken.None);
            await _manifests.DeleteAsync(App, DigestOf("second"), Alice, CancellationToken.None);
            await _links.RemoveAsync(App, DigestOf("config"), CancellationToken.None);
            await _links.MarkMissingAsync(Blob("config"), CancellationToken.None);
            var notes = await _outbox.ReadAsync(0, 100, CancellationToken.None);
            await _outbox.RemoveAsync(await _outbox.ClaimAsync(notes, CancellationToken.None), CancellationToken.None);
        });

    /// <summary>
    /// Runs work on connections whose plans the server tells, and asserts that none of them reads a whole table that has
    /// more than a page.
    /// </summary>
    private async Task<IReadOnlyList<string>> ExpectSearchesAsync(string mode, Func<RegistryDatabase, Task> work)
    {
        var recording = new RecordingDatabase(_database, mode, _plans);
        _outbox = new(recording);
        _manifests = new(recording, _leases, _outbox);
        _links = new(recording, _leases);
        _tags = new(recording, _leases, _outbox);
        _plans.Clear();
        await work(recording);
        Assert.NotEmpty(_plans);
        Assert.Contains(_plans, plan => plan.Contains("Index", StringComparison.Ordinal));
        Assert.All(_plans, plan => Assert.False(
            plan.Contains("Seq Scan on", StringComparison.Ordinal) || plan.Contains("Hash Join", StringComparison.Ordinal)
                || plan.Contains("Merge Join", StringComparison.Ordinal),
            plan));
        return [.. _plans];
    }

    // 20,000 tags and manifests in one repository, as many blobs, 10,000 repositories with one manifest each.
    private async Task FillAsync()
        => await _database.WriteAsync(
            session => session.Connection.ExecuteAsync(
                """
                INSERT INTO repositories (registry, name, created_at) SELECT 'default', 'm/' || lpad(n::text, 5, '0'), 0 FROM generate_series(1, 10000) n;
                INSERT INTO manifests (repository_id, digest, media_type, size, lease, pushed_at, payload)
                    SELECT id, '\x01' || sha256(name::bytea), 'a/b', 3, 0, 0, 'abc' FROM repositories WHERE name LIKE 'm/%';
                INSERT INTO manifests (repository_id, digest, media_type, size, lease, pushed_at, payload, subject)
                    SELECT 1, '\x01' || sha256(n::text::bytea), 'a/b', 3, 0, 0, 'abc', CASE WHEN n % 2 = 0 THEN @subject END FROM generate_series(1, 20000) n;
                INSERT INTO tags (repository_id, name, digest, updated_at)
                    SELECT 1, 'v' || lpad(n::text, 5, '0'), '\x01' || sha256(n::text::bytea), 0 FROM generate_series(1, 20000) n;
                INSERT INTO blobs (store, digest, location, size, state, created_at)
                    SELECT 'main', '\x01' || sha256(n::text::bytea), '', 1, 'present', 0 FROM generate_series(1, 20000) n;
                INSERT INTO repository_blobs (repository_id, digest, store, lease)
                    SELECT 1 + n % 2 * (n % 9000), '\x01' || sha256(n::text::bytea), 'main', 0 FROM generate_series(1, 20000) n;
                INSERT INTO manifest_blobs SELECT 1, '\x01' || sha256(n::text::bytea), '\x01' || sha256((n / 2)::text::bytea) FROM generate_series(1, 20000) n;
                INSERT INTO manifest_children SELECT 1, '\x01' || sha256(n::text::bytea), '\x01' || sha256((n / 2)::text::bytea) FROM generate_series(1, 20000) n;
                INSERT INTO tag_history (repository_id, tag, principal, changed_at) SELECT 1, 'v' || n, 'a', 0 FROM generate_series(1, 20000) n;
                INSERT INTO uploads (id, registry, repository, store, owner, algorithm, position, version, expires_at)
                    SELECT gen_random_uuid()::text, 'default', 'a', 'main', 'a', 'sha256', 0, 0, registry_now() + 1000000 FROM generate_series(1, 20000) n;
                INSERT INTO outbox (repository_id, kind, key) SELECT 1, 'tag', 'x' || n FROM generate_series(1, 20000) n;
                ANALYZE repositories, manifests, tags, blobs, repository_blobs, manifest_blobs, manifest_children, tag_history, uploads, outbox
                """,
                new { subject = DigestOf("subject").ToColumn() }),
            durable: false,
            CancellationToken.None);

    /// <summary>Lets the server tell the plan of each statement as it runs it.</summary>
    private sealed class RecordingDatabase(RegistryDatabase database, string mode, ConcurrentQueue<string> plans) : RegistryDatabase
    {
        public override bool IsShared => database.IsShared;

        public override Task OpenAsync(CancellationToken cancellationToken) => database.OpenAsync(cancellationToken);

        public override Task<bool> IsCurrentAsync(CancellationToken cancellationToken) => database.IsCurrentAsync(cancellationToken);

        public override Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken)
            => database.ReadAsync(session => RecordAsync(session, read), cancellationToken);

        public override Task<T> WriteAsync<T>(Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
            => database.WriteAsync(session => RecordAsync(session, write), durable, cancellationToken);

        public override Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => database.AloneAsync(work, cancellationToken);

        public override ValueTask DisposeAsync() => database.DisposeAsync();

        private async Task<T> RecordAsync<T>(DatabaseSession session, Func<DatabaseSession, Task<T>> work)
        {
            var connection = (NpgsqlConnection)session.Connection;
            await connection.ExecuteAsync(
                $"LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_level = notice; SET plan_cache_mode = {mode}");
            connection.Notice += Keep;
            try
            {
                return await work(session);
            }
            finally
            {
                connection.Notice -= Keep;
                await connection.ExecuteAsync("SET auto_explain.log_min_duration = -1");
            }

            void Keep(object sender, NpgsqlNoticeEventArgs notice)
            {
                if (notice.Notice.MessageText.Contains("plan:", StringComparison.Ordinal))
                    plans.Enqueue(notice.Notice.MessageText);
            }
        }
    }
}
