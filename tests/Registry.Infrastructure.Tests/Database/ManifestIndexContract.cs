using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteManifestIndexTests : ManifestIndexContract<SqliteTestDatabase>;

public sealed class PostgreSqlManifestIndexTests : ManifestIndexContract<PostgreSqlTestDatabase>;

public abstract class ManifestIndexContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    [Fact]
    public async Task A_manifest_is_found_by_tag_and_by_digest_as_it_was_pushed()
    {
        await PushBlobAsync("config");
        var image = await PushAsync(Image("image", "config").Tagged("v1"));

        foreach (var reference in new[] { "v1", image.Digest.ToString() })
        {
            var found = await FindAsync(reference);
            Assert.Equal((image.Digest, MediaType.OciManifest, 5L), (found!.Digest, found.MediaType, found.Size));
            Assert.Equal("image"u8, found.Content.Span);

            var held = await Manifests.FindAndHoldAsync(App, Reference.Parse(reference), CancellationToken.None);
            Assert.Equal((image.Digest, MediaType.OciManifest, 5L, 0), (held!.Digest, held.MediaType, held.Size, held.Content.Length));
        }

        Assert.Null(await FindAsync("v2"));
        Assert.Null(await FindAsync("v1", Other));
        Assert.Null(await FindAsync(image.Digest.ToString(), Other));
        Assert.Null(await Manifests.FindAndHoldAsync(App, Tag.Parse("V1"), CancellationToken.None));
    }

    [Fact]
    public async Task A_manifest_can_be_put_again_and_again()
    {
        await PushBlobAsync("config");
        var child = await PushAsync(Image("child", "config"));
        for (var time = 0; time < 3; time++)
            await PushAsync(Index("index", child.Digest).Tagged("v1", "latest"));

        Assert.Equal("2 1 1 2 2", await CountsAsync("manifests", "manifest_blobs", "manifest_children", "tags", "tag_history"));
    }

    [Fact]
    public async Task A_manifest_is_served_with_the_type_that_it_was_pushed_with_last()
    {
        var list = Plain("list").Tagged("v1");
        await PushAsync(list);
        await PushAsync(list with { Manifest = list.Manifest with { MediaType = MediaType.DockerManifestList } });
        Assert.Equal(MediaType.DockerManifestList, (await FindAsync("v1"))?.MediaType);
    }

    [Fact]
    public async Task Everything_that_is_missing_is_reported_and_nothing_is_changed()
    {
        await PushBlobAsync("config");
        await PushBlobAsync("elsewhere", Other);

        var missing = await Manifests.PutAsync(Image("image", "config", "one", "two", "elsewhere").Tagged("v1"), CancellationToken.None);

        Assert.Equal([DigestOf("one"), DigestOf("two"), DigestOf("elsewhere")], missing.MissingBlobs);
        Assert.Empty(missing.MissingManifests);
        Assert.Equal("0 0 0 0 0", await CountsAsync("manifests", "manifest_blobs", "tags", "tag_history", "outbox"));
    }

    [Fact]
    public async Task Every_missing_child_is_reported_and_nothing_is_changed()
    {
        var elsewhere = await PushAsync(Plain("elsewhere").In(Other));
        
        var missing = await Manifests.PutAsync(Index("index", DigestOf("one"), elsewhere.Digest).Tagged("v1"), CancellationToken.None);

        Assert.Equal([DigestOf("one"), elsewhere.Digest], missing.MissingManifests);
        Assert.Empty(missing.MissingBlobs);
        Assert.Equal("1 1 0", await CountsAsync("manifests", "outbox", "tags")); // of the other repository
        Assert.False(await Catalog.ExistsAsync(App, CancellationToken.None));
    }

    [Fact]
    public async Task In_a_new_repository_everything_is_missing_and_it_is_not_made()
    {
        var image = await Manifests.PutAsync(Image("image", "config", "layer"), CancellationToken.None);
        var index = await Manifests.PutAsync(Index("index", DigestOf("child")), CancellationToken.None);

        Assert.Equal([DigestOf("config"), DigestOf("layer")], image.MissingBlobs);
        Assert.Equal([DigestOf("child")], index.MissingManifests);
        Assert.False(await Catalog.ExistsAsync(App, CancellationToken.None));
    }

    [Fact]
    public async Task A_tag_stays_where_it_was_when_a_put_is_refused()
    {
        var before = await PushAsync(Plain("before").Tagged("v1"));
        Assert.True((await Manifests.PutAsync(Image("after", "missing").Tagged("v1"), CancellationToken.None)).IsRefused);
        Assert.Equal(before.Digest, (await FindAsync("v1"))?.Digest);
        Assert.Single(await HistoryAsync("v1"));
    }

    [Fact]
    public async Task Who_may_not_overwrite_makes_tags_and_moves_none() // S-7
    {
        var first = await PushAsync(Plain("first").Tagged("v1") with { MayOverwrite = false });
        var refused = await Manifests.PutAsync(
            Plain("second").Tagged("new", "v1") with { MayOverwrite = false }, CancellationToken.None);

        Assert.Equal("v1", refused.KeptTag?.Value);
        Assert.Equal(first.Digest, (await FindAsync("v1"))?.Digest);
        Assert.Null(await FindAsync("new"));
        Assert.Null(await FindAsync(DigestOf("second").ToString()));
        Assert.Single(await HistoryAsync("v1"));

        await PushAsync(Plain("first").Tagged("v1") with { MayOverwrite = false }); // the same again moves nothing
        await PushAsync(Plain("second").Tagged("new") with { MayOverwrite = false });
    }

    [Fact]
    public async Task Of_many_first_pushes_of_one_tag_that_may_not_overwrite_one_is_the_first() // S-7
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(number => Task.Run(async () => (
            Digest: DigestOf($"racer {number}"),
            Outcome: await Manifests.PutAsync(
                Plain($"racer {number}").Tagged("v1") with { MayOverwrite = false }, CancellationToken.None)))));

        var winner = Assert.Single(outcomes, racer => !racer.Outcome.IsRefused);
        Assert.Equal(winner.Digest, (await FindAsync("v1"))?.Digest);
        Assert.All(outcomes.Where(racer => racer != winner), racer => Assert.Equal("v1", racer.Outcome.KeptTag?.Value));
        Assert.Single(await HistoryAsync("v1"));
    }

    [Fact]
    public async Task A_blob_whose_bytes_are_gone_is_missing_until_it_is_pushed_again()
    {
        var config = await PushBlobAsync("config");
        await Links.MarkMissingAsync(config, CancellationToken.None);
        Assert.Equal([config.Digest], (await Manifests.PutAsync(Image("image", "config"), CancellationToken.None)).MissingBlobs);

        await PushBlobAsync("config");
        Assert.False((await Manifests.PutAsync(Image("image", "config"), CancellationToken.None)).IsRefused);
    }

    [Fact]
    public async Task A_subject_need_not_exist()
    {
        await PushAsync(Plain("signature").WithSubject(DigestOf("never pushed")));
        Assert.NotNull(await FindAsync(DigestOf("signature").ToString()));
    }

    [Fact]
    public async Task A_manifest_that_is_deleted_takes_every_tag_with_it_and_nothing_else()
    {
        var config = await PushBlobAsync("config");
        var image = await PushAsync(Image("image", "config").Tagged("v1", "latest"));
        var other = await PushAsync(Plain("other").Tagged("v2"));
        await PushBlobAsync("config", Other);
        await PushAsync(image.In(Other));

        Assert.True(await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None));

        Assert.Null(await FindAsync(image.Digest.ToString()));
        Assert.Null(await FindAsync("v1"));
        Assert.Null(await FindAsync("latest"));
        Assert.Equal(other.Digest, (await FindAsync("v2"))?.Digest);
        Assert.NotNull(await FindAsync("v1", Other));
        Assert.NotNull(await Links.FindAsync(App, config.Digest, CancellationToken.None));
        Assert.Equal("1", await CountsAsync("manifest_blobs")); // of the other repository
    }

    [Fact]
    public async Task What_is_not_there_cannot_be_deleted()
    {
        Assert.False(await Manifests.DeleteAsync(App, DigestOf("image"), Alice, CancellationToken.None));
        var image = await PushAsync(Plain("image"));
        Assert.False(await Manifests.DeleteAsync(Other, image.Digest, Alice, CancellationToken.None));
        Assert.True(await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None));
        Assert.False(await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None));
    }

    [Fact]
    public async Task A_deleted_manifest_can_be_pushed_again()
    {
        var image = Plain("image").Tagged("v1");
        await PushAsync(image);
        await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None);
        await PushAsync(image);
        Assert.Equal(image.Digest, (await FindAsync("v1"))?.Digest);
        Assert.Equal([image.Digest.ToString(), null, image.Digest.ToString()], await HistoryAsync("v1"));
    }

    [Fact]
    public async Task A_child_can_be_deleted_while_its_index_stays()
    {
        var child = await PushAsync(Plain("child"));
        var index = await PushAsync(Index("index", child.Digest));
        Assert.True(await Manifests.DeleteAsync(App, child.Digest, Alice, CancellationToken.None));
        Assert.NotNull(await FindAsync(index.Digest.ToString()));
        Assert.Equal([child.Digest], (await Manifests.PutAsync(index, CancellationToken.None)).MissingManifests);
    }

    [Fact]
    public async Task Sha512_stands_beside_sha256()
    {
        var short256 = await PushAsync(Plain("content").Tagged("short"));
        var long512 = await PushAsync(Plain("content").As(DigestOf("content", DigestAlgorithm.Sha512)).Tagged("long"));

        Assert.Equal(short256.Digest, (await FindAsync("short"))?.Digest);
        Assert.Equal(long512.Digest, (await FindAsync("long"))?.Digest);
        await PushAsync(Index("index", short256.Digest, long512.Digest));
        Assert.True(await Manifests.DeleteAsync(App, short256.Digest, Alice, CancellationToken.None));
        Assert.Null(await FindAsync(short256.Digest.ToString()));
        Assert.NotNull(await FindAsync(long512.Digest.ToString()));
    }

    [Fact]
    public async Task Every_look_at_a_manifest_or_blob_is_one_query()
    {
        var config = await PushBlobAsync("config");
        var image = await PushAsync(Image("image", "config").Tagged("v1"));
        var before = Database.Reads;

        await FindAsync("v1");
        await FindAsync(image.Digest.ToString());
        await Manifests.FindAndHoldAsync(App, image.Digest, CancellationToken.None);
        await Links.FindAsync(App, config.Digest, CancellationToken.None);
        await Links.FindAndHoldAsync(App, config.Digest, CancellationToken.None);

        Assert.Equal(before + 5, Database.Reads);
        Assert.Equal(2, Database.Writes); // the two pushes
    }
}
