using Dapper;
using Registry.Application.Blobs;
using Registry.Application.Catalog;
using Registry.Application.GarbageCollection;
using Registry.Application.Manifests;
using Registry.Application.Referrers;
using Registry.Application.Stores;
using Registry.Application.Tags;
using Registry.Application.Uploads;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>The metadata ports on a new database, with a clock that stands still. Each port's promises are a class of their own.</summary>
public abstract class MetadataContract<TDatabase> : IAsyncLifetime
    where TDatabase : TestDatabase, new()
{
    private protected static readonly TimeSpan Lease = TimeSpan.FromHours(10);

    private protected TDatabase Place { get; } = new();

    private protected ManualTime Time { get; } = new();

    private protected CountingDatabase Database { get; private set; } = null!;

    private protected IBlobLinks Links { get; private set; } = null!;

    private protected IUploadSessions Uploads { get; private set; } = null!;

    private protected IManifestIndex Manifests { get; private set; } = null!;

    private protected ITagIndex Tags { get; private set; } = null!;

    private protected IReferrerIndex Referrers { get; private set; } = null!;

    private protected ICatalog Catalog { get; private set; } = null!;

    private protected ManifestOutbox Outbox { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = Share(Place.Connect(Time));
        var leases = new Leases(new GarbageCollectionOptions { Lease = Lease });
        Outbox = new(Database);
        Links = new BlobLinks(Database, leases);
        Uploads = new UploadSessions(Database, Time);
        Manifests = new ManifestIndex(Database, leases, Outbox);
        Tags = new TagIndex(Database, leases, Outbox);
        Referrers = new ReferrerIndex(Database);
        Catalog = new RepositoryCatalog(Database);
        await Database.OpenAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        Outbox.Dispose();
        await Database.DisposeAsync();
        Place.Dispose();
    }

    /// <summary>The database as the adapters see it.</summary>
    private protected virtual CountingDatabase Share(RegistryDatabase database) => new(database);

    private protected async Task<StoredBlob> PushBlobAsync(string content, RepositoryIdentity? repository = null)
    {
        var blob = Samples.Blob(content);
        Assert.True(await Links.AddAsync(repository ?? Samples.App, blob, session: null, CancellationToken.None));
        return blob;
    }

    private protected async Task<NewManifest> PushAsync(NewManifest manifest)
    {
        Assert.False((await Manifests.PutAsync(manifest, CancellationToken.None)).IsRefused);
        return manifest;
    }

    /// <summary>What the tag or digest leads to; null when to nothing.</summary>
    private protected Task<StoredManifest?> FindAsync(string reference, RepositoryIdentity? repository = null)
        => Manifests.FindAsync(repository ?? Samples.App, Reference.Parse(reference), CancellationToken.None);

    private protected Task<T?> ScalarAsync<T>(string sql, object? values = null)
        => Database.ReadAsync(session => session.Connection.ExecuteScalarAsync<T>(sql, values), CancellationToken.None);

    /// <summary>How many rows the tables have.</summary>
    private protected async Task<string> CountsAsync(params string[] tables)
    {
        var counts = new List<long>();
        foreach (var table in tables)
            counts.Add(await ScalarAsync<long>($"SELECT COUNT(*) FROM {table}"));
        return string.Join(' ', counts);
    }

    /// <summary>A tag's moves, oldest first; null where it was deleted.</summary>
    private protected Task<IReadOnlyList<string?>> HistoryAsync(string tag)
        => Database.ReadAsync<IReadOnlyList<string?>>(
            async session => [.. (await session.Connection.QueryAsync<byte[]?>("SELECT digest FROM tag_history WHERE tag = @tag ORDER BY id", new { tag }))
                .Select(digest => digest?.ToDigest().ToString())],
            CancellationToken.None);

    /// <summary>When the lease of a link (or manifest) ends, counted from now.</summary>
    private protected async Task<TimeSpan> LeaseOfBlobAsync(StoredBlob blob, RepositoryIdentity? repository = null)
        => Left(await ScalarAsync<long>(
            "SELECT l.lease FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id WHERE l.digest = @Digest AND r.name = @Value",
            new { Digest = blob.Digest.ToColumn(), (repository ?? Samples.App).Name.Value }));

    /// <inheritdoc cref="LeaseOfBlobAsync"/>
    private protected async Task<TimeSpan> LeaseOfAsync(NewManifest manifest)
        => Left(await ScalarAsync<long>("SELECT lease FROM manifests WHERE digest = @Digest", new { Digest = manifest.Digest.ToColumn() }));

    private TimeSpan Left(long lease) => TimeSpan.FromMilliseconds(lease - Time.Milliseconds);
}
