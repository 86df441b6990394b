using Dapper;
using Microsoft.Data.Sqlite;
using Registry.Application.GarbageCollection;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Database;
using SQLitePCL;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>
/// The statements that requests and lists run find their rows by an index, so that a page far behind costs what the first
/// one costs. The statements are those that the adapters really send.
/// </summary>
public sealed class SqliteQueryPlanTests : IAsyncLifetime
{
    private readonly SqliteTestDatabase _place = new();
    private readonly Leases _leases = new(new GarbageCollectionOptions());
    private RecordingDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = new(_place.Connect(TimeProvider.System));
        await _database.OpenAsync(CancellationToken.None);
        using var outbox = new ManifestOutbox(_database);
        var links = new BlobLinks(_database, _leases);
        var manifests = new ManifestIndex(_database, _leases, outbox);
        await links.AddAsync(App, Blob("config"), session: null, CancellationToken.None);
        await manifests.PutAsync(Image("image", "config").WithSubject(DigestOf("subject")).Tagged("v1"), CancellationToken.None);
        _database.Statements.Clear();
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        _place.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("v09999")]
    public async Task Tag_lists_go_on_at_a_key(string? last)
    {
        using var outbox = new ManifestOutbox(_database);
        var tags = new TagIndex(_database, _leases, outbox);
        await tags.ListAsync(App, new(100, last), CancellationToken.None);
        await tags.ListDetailsAsync(App, new(100, last), CancellationToken.None);
        var plans = await ExpectSearchesAsync(statements: 3);
        Assert.Equal(2, plans.Count(step => step.Contains("(repository_id=? AND name>?)", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("m/9999", "")]
    [InlineData("m/9999", "m/")]
    public async Task The_catalog_goes_on_at_a_key(string? last, string prefix)
    {
        await new RepositoryCatalog(_database).ListAsync(RegistryName.Default, last, prefix, 100, CancellationToken.None);
        var plans = await ExpectSearchesAsync(statements: 1);
        Assert.Contains(plans, step => step.Contains("(registry=? AND name>? AND name<?)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whether_a_name_is_taken_is_one_search_past_all_that_is_about_others()
    {
        await new RepositoryCatalog(_database).IsTakenAsync(App, CancellationToken.None);
        var plans = await ExpectSearchesAsync(statements: 1);
        Assert.Contains(plans, step => step.Contains("manifests_without_subject", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(true, "application/x.sbom")]
    public async Task Referrers_go_on_at_a_key(bool behind, string? type)
    {
        var last = behind ? DigestOf("last").ToString() : null;
        await new ReferrerIndex(_database).ListAsync(App, DigestOf("subject"), type, new(100, last), CancellationToken.None);
        var plans = await ExpectSearchesAsync(statements: 1);
        Assert.Contains(plans, step => step.Contains("(repository_id=? AND subject=? AND digest>?)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pulls_and_looks_find_their_rows_by_index()
    {
        using var outbox = new ManifestOutbox(_database);
        var manifests = new ManifestIndex(_database, _leases, outbox);
        var links = new BlobLinks(_database, _leases);
        foreach (var reference in new[] { Reference.Parse("v1"), DigestOf("image") })
        {
            await manifests.FindAsync(App, reference, CancellationToken.None);
            await manifests.FindAndHoldAsync(App, reference, CancellationToken.None);
        }

        await links.FindAsync(App, DigestOf("config"), CancellationToken.None);
        await links.FindAndHoldAsync(App, DigestOf("config"), CancellationToken.None);
        await links.ListRepositoriesAsync(DigestOf("config"), 10, CancellationToken.None);
        await ExpectSearchesAsync(statements: 7);
    }

    [Fact]
    public async Task Upload_sessions_are_found_by_index()
    {
        var uploads = new UploadSessions(_database, TimeProvider.System);
        var session = Session(DateTimeOffset.UtcNow);
        await uploads.FindAsync(App, session.Id, CancellationToken.None);
        await uploads.ExistsAsync(session.Id, CancellationToken.None);
        await uploads.ClaimAsync(App, session.Owner, session.Id, CancellationToken.None);
        await uploads.ListExpiredAsync(100, CancellationToken.None);
        await uploads.AdvanceAsync(session, new(1, Complete: true), session.ExpiresAt, CancellationToken.None);
        await uploads.RemoveAsync(App, session.Owner, session.Id, CancellationToken.None);
        await uploads.RemoveExpiredAsync(session.Id, CancellationToken.None);
        await ExpectSearchesAsync(statements: 7);
    }

    [Fact]
    public async Task Pushes_and_deletes_find_their_rows_by_index()
    {
        using var outbox = new ManifestOutbox(_database);
        var manifests = new ManifestIndex(_database, _leases, outbox);
        var links = new BlobLinks(_database, _leases);
        await links.AddAsync(App, Blob("config"), Session(DateTimeOffset.UtcNow), CancellationToken.None);
        await links.AddAsync(App, Blob("config"), session: null, CancellationToken.None);
        await links.MountAsync(App, Other, DigestOf("config"), "main", CancellationToken.None);
        await manifests.PutAsync(Image("second", "config").Tagged("v1", "v2"), CancellationToken.None);
        await manifests.PutAsync(Index("index", DigestOf("image")).Tagged("v1"), CancellationToken.None);
        await new TagIndex(_database, _leases, outbox).DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);
        await manifests.DeleteAsync(App, DigestOf("index"), Alice, CancellationToken.None);
        await manifests.DeleteAsync(App, DigestOf("second"), Alice, CancellationToken.None);
        await links.RemoveAsync(App, DigestOf("config"), CancellationToken.None);
        await links.MarkMissingAsync(Blob("config"), CancellationToken.None);
        await outbox.ReadAsync(0, 100, CancellationToken.None);
        Assert.True(_database.Statements.Count > 40, $"Only {_database.Statements.Count} statements were seen.");
        await ExpectSearchesAsync(_database.Statements.Count);
    }

    /// <summary>Asserts that none of the recorded statements walks a table or sorts, and returns their plans' steps.</summary>
    private async Task<List<string>> ExpectSearchesAsync(int statements)
    {
        Assert.Equal(statements, _database.Statements.Count);
        await using var connection = new SqliteConnection($"Data Source={_place.File};Pooling=False");
        await connection.OpenAsync();
        connection.CreateFunction("registry_now", () => 0L); // the plan does not depend on what it says
        var steps = new List<string>();
        foreach (var statement in _database.Statements)
        {
            foreach (var row in await connection.QueryAsync<(long, long, long, string Step)>($"EXPLAIN QUERY PLAN {statement}"))
            {
                steps.Add(row.Step);
                Assert.False(
                    (row.Step.StartsWith("SCAN", StringComparison.Ordinal) && row.Step != "SCAN CONSTANT ROW")
                        || row.Step.Contains("TEMP B-TREE", StringComparison.Ordinal) || row.Step.Contains("AUTOMATIC", StringComparison.Ordinal),
                    $"{row.Step}\n{statement}");
            }
        }

        Assert.Contains(steps, step => step.StartsWith("SEARCH", StringComparison.Ordinal) && step.Contains(" USING ", StringComparison.Ordinal));
        return steps;
    }

    /// <summary>Writes down every statement that SQLite is given.</summary>
    private sealed class RecordingDatabase(RegistryDatabase database) : RegistryDatabase
    {
        public List<string> Statements { get; } = [];

        public override bool IsShared => true; // there are more statements then

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
            var handle = ((SqliteConnection)session.Connection).Handle;
            raw.sqlite3_trace(handle, (_, statement) => Statements.Add(statement), null);
            try
            {
                return await work(session);
            }
            finally
            {
                raw.sqlite3_trace(handle, (strdelegate_trace)null!, null);
            }
        }
    }
}
