using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteBlobLinksTests : BlobLinksContract<SqliteTestDatabase>;

public sealed class PostgreSqlBlobLinksTests : BlobLinksContract<PostgreSqlTestDatabase>;

public abstract class BlobLinksContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    [Fact]
    public async Task A_blob_is_found_in_its_repository_and_in_no_other()
    {
        var blob = await PushBlobAsync("layer");

        Assert.Equal(blob, await FindAsync(App, blob));
        Assert.Equal(blob, await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None));
        Assert.Null(await FindAsync(Other, blob));
        Assert.Null(await FindAsync(Repository("team/app", "hub"), blob));
        Assert.Null(await FindAsync(App, Blob("unknown")));
    }

    [Fact]
    public async Task A_blob_can_be_pushed_again_and_again()
    {
        for (var time = 0; time < 3; time++)
            await PushBlobAsync("layer");

        Assert.Equal("1 1 1", await CountsAsync("repositories", "blobs", "repository_blobs"));
    }

    [Fact]
    public async Task A_blob_that_was_pushed_to_another_place_is_there_for_every_repository()
    {
        await PushBlobAsync("layer");
        var moved = Blob("layer") with { Location = "elsewhere", Size = 99 };

        await Links.AddAsync(Other, moved, session: null, CancellationToken.None);

        Assert.Equal(moved with { Generation = 1 }, await FindAsync(App, moved));
        Assert.Equal(moved with { Generation = 1 }, await FindAsync(Other, moved));
    }

    [Fact]
    public async Task A_missing_blob_is_nowhere_until_it_is_pushed_again()
    {
        var blob = await PushBlobAsync("layer");
        await PushBlobAsync("layer", Other);

        await Links.MarkMissingAsync((await FindAsync(App, blob))!, CancellationToken.None);
        Assert.Null(await FindAsync(App, blob));
        Assert.Null(await Links.FindAndHoldAsync(Other, blob.Digest, CancellationToken.None));

        await PushBlobAsync("layer", Other);
        Assert.NotNull(await FindAsync(App, blob));
        Assert.NotNull(await FindAsync(Other, blob));
    }

    [Fact]
    public async Task A_blob_that_was_pushed_again_meanwhile_is_not_missing()
    {
        var before = await FindAsync(App, await PushBlobAsync("layer"));
        await PushBlobAsync("layer", Other); // heals it, at the same place

        await Links.MarkMissingAsync(before!, CancellationToken.None);

        Assert.NotNull(await FindAsync(App, before!));
    }

    [Fact]
    public async Task A_finished_upload_is_a_blob_and_its_session_is_closed_in_one_change()
    {
        var session = await StartAsync();

        Assert.True(await Links.AddAsync(App, Blob("layer"), session, CancellationToken.None));

        Assert.NotNull(await FindAsync(App, Blob("layer")));
        Assert.False(await Uploads.ExistsAsync(session.Id, CancellationToken.None));
        Assert.Equal(2, Database.Writes); // start and end
    }

    [Fact]
    public async Task A_session_that_is_gone_makes_no_blob()
    {
        var session = await StartAsync();
        await Uploads.RemoveAsync(App, session.Owner, session.Id, CancellationToken.None);

        Assert.False(await Links.AddAsync(App, Blob("layer"), session, CancellationToken.None));

        Assert.Equal("0 0 0", await CountsAsync("repositories", "blobs", "repository_blobs"));
    }

    [Fact]
    public async Task A_session_that_another_request_has_advanced_makes_no_blob_and_stays()
    {
        var session = await StartAsync();
        Assert.True(await Uploads.AdvanceAsync(session, new(5, Complete: true), session.ExpiresAt, CancellationToken.None));

        Assert.False(await Links.AddAsync(App, Blob("layer"), session, CancellationToken.None));

        Assert.Equal("0 0 0", await CountsAsync("repositories", "blobs", "repository_blobs"));
        Assert.Equal(5, (await Uploads.FindAsync(App, session.Id, CancellationToken.None))?.Offset);
    }

    [Fact]
    public async Task A_mounted_blob_is_in_both_repositories_and_outlives_its_source()
    {
        var blob = await PushBlobAsync("layer");

        Assert.True(await MountAsync(App, Other));
        Assert.True(await MountAsync(App, Other)); // as often as a client likes
        Assert.True(await Links.RemoveAsync(App, blob.Digest, CancellationToken.None));

        Assert.Null(await FindAsync(App, blob));
        Assert.Equal(blob, await FindAsync(Other, blob));
    }

    [Fact]
    public async Task What_is_not_in_the_source_is_not_mounted()
    {
        Assert.False(await MountAsync(App, Other));
        await PushBlobAsync("another");
        Assert.False(await MountAsync(App, Other));

        Assert.False(await Catalog.ExistsAsync(Other, CancellationToken.None));
    }

    [Fact]
    public async Task A_missing_blob_is_not_mounted()
    {
        await Links.MarkMissingAsync(await PushBlobAsync("layer"), CancellationToken.None);
        Assert.False(await MountAsync(App, Other));
        Assert.Null(await FindAsync(Other, Blob("layer")));
    }

    [Fact]
    public async Task A_blob_of_another_store_is_not_mounted()
    {
        await PushBlobAsync("layer");
        Assert.False(await Links.MountAsync(App, Other, DigestOf("layer"), "cloud", CancellationToken.None));
        Assert.False(await Catalog.ExistsAsync(Other, CancellationToken.None));
    }

    [Fact]
    public async Task The_same_content_in_two_stores_is_two_blobs()
    {
        var here = await PushBlobAsync("layer");
        var there = Blob("layer", "cloud") with { Location = "key/in/bucket" };
        await Links.AddAsync(Other, there, session: null, CancellationToken.None);

        await Links.MarkMissingAsync(here, CancellationToken.None);

        Assert.Null(await FindAsync(App, here));
        Assert.Equal(there, await FindAsync(Other, there));
    }

    [Fact]
    public async Task A_removed_blob_is_gone_once()
    {
        var blob = await PushBlobAsync("layer");
        Assert.False(await Links.RemoveAsync(Other, blob.Digest, CancellationToken.None));
        Assert.True(await Links.RemoveAsync(App, blob.Digest, CancellationToken.None));
        Assert.False(await Links.RemoveAsync(App, blob.Digest, CancellationToken.None));
        Assert.Null(await FindAsync(App, blob));
    }

    [Fact]
    public async Task The_repositories_of_a_blob_are_listed_up_to_a_limit()
    {
        var blob = await PushBlobAsync("layer", Repository("a"));
        await PushBlobAsync("layer", Repository("b", "hub"));
        await PushBlobAsync("another", Repository("c"));

        var both = await Links.ListRepositoriesAsync(blob.Digest, 10, CancellationToken.None);
        Assert.Equal(["default:a", "hub:b"], both.Select(repository => repository.ToString()).Order(StringComparer.Ordinal));
        Assert.Single(await Links.ListRepositoriesAsync(blob.Digest, 1, CancellationToken.None));
        Assert.Empty(await Links.ListRepositoriesAsync(DigestOf("unknown"), 10, CancellationToken.None));
    }

    [Fact]
    public async Task Sha512_stands_beside_sha256()
    {
        var hash = new byte[64];
        hash.AsSpan(0, 32).Fill(7); // the one begins with the other
        StoredBlob[] blobs =
        [
            new("main", Digest.FromHash(DigestAlgorithm.Sha256, hash.AsSpan(0, 32)), "one", 1),
            new("main", Digest.FromHash(DigestAlgorithm.Sha512, hash), "two", 2),
        ];
        foreach (var blob in blobs)
            Assert.True(await Links.AddAsync(App, blob, session: null, CancellationToken.None));

        Assert.Equal(blobs[0], await FindAsync(App, blobs[0]));
        Assert.Equal(blobs[1], await FindAsync(App, blobs[1]));
        await Links.RemoveAsync(App, blobs[0].Digest, CancellationToken.None);
        Assert.Null(await FindAsync(App, blobs[0]));
        Assert.Equal(blobs[1], await FindAsync(App, blobs[1]));
    }

    private Task<StoredBlob?> FindAsync(RepositoryIdentity repository, StoredBlob blob)
        => Links.FindAsync(repository, blob.Digest, CancellationToken.None);

    private Task<bool> MountAsync(RepositoryIdentity source, RepositoryIdentity target)
        => Links.MountAsync(source, target, DigestOf("layer"), "main", CancellationToken.None);

    private async Task<Domain.Uploads.UploadSession> StartAsync()
    {
        var session = Session(Time.Now.AddHours(1));
        await Uploads.StartAsync(session, CancellationToken.None);
        return session;
    }
}
