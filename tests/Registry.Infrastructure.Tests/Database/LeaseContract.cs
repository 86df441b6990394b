using Registry.Domain.Manifests;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteLeaseTests : LeaseContract<SqliteTestDatabase>;

public sealed class PostgreSqlLeaseTests : LeaseContract<PostgreSqlTestDatabase>;

/// <summary>What a client was told exists is kept for a while; and pulls, which rely on references, write nothing.</summary>
public abstract class LeaseContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    private static readonly TimeSpan Half = Lease / 2;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task A_pushed_and_a_mounted_blob_begin_with_a_full_lease()
    {
        var blob = await PushBlobAsync("layer");
        Assert.Equal(Lease, await LeaseOfBlobAsync(blob));

        Time.Advance(Half);
        await Links.MountAsync(App, Other, blob.Digest, "main", CancellationToken.None);
        Assert.Equal(Lease, await LeaseOfBlobAsync(blob, Other));
        Assert.Equal(Half, await LeaseOfBlobAsync(blob));

        await PushBlobAsync("layer");
        Assert.Equal(Lease, await LeaseOfBlobAsync(blob));
    }

    [Fact]
    public async Task A_look_at_an_unreferenced_blob_renews_its_lease_once_less_than_half_is_left()
    {
        var blob = await PushBlobAsync("layer");

        Time.Advance(Half);
        Assert.NotNull(await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None));
        Assert.Equal((Half, 1), (await LeaseOfBlobAsync(blob), Database.Writes)); // the push

        Time.Advance(Moment);
        Assert.NotNull(await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None));
        Assert.Equal((Lease, 2), (await LeaseOfBlobAsync(blob), Database.Writes));

        Assert.NotNull(await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None));
        Assert.Equal(2, Database.Writes);
    }

    [Fact]
    public async Task A_look_at_a_referenced_blob_writes_nothing()
    {
        var blob = await PushBlobAsync("config");
        await PushAsync(Image("image", "config"));
        var writes = Database.Writes;

        Time.Advance(Lease * 3);
        Assert.NotNull(await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None));

        Assert.Equal(writes, Database.Writes);
    }

    [Fact]
    public async Task A_reference_in_another_repository_does_not_count()
    {
        var blob = await PushBlobAsync("config");
        await PushBlobAsync("config", Other);
        await PushAsync(Image("image", "config").In(Other));

        Time.Advance(Half + Moment);
        await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None);

        Assert.Equal(Lease, await LeaseOfBlobAsync(blob));
        Assert.Equal(Half - Moment, await LeaseOfBlobAsync(blob, Other));
    }

    [Fact]
    public async Task A_pull_never_writes()
    {
        var blob = await PushBlobAsync("layer");
        var image = await PushAsync(Plain("image"));
        var writes = Database.Writes;

        Time.Advance(Lease * 3);
        Assert.NotNull(await Links.FindAsync(App, blob.Digest, CancellationToken.None));
        Assert.NotNull(await FindAsync(image.Digest.ToString()));

        Assert.Equal(writes, Database.Writes);
    }

    [Fact]
    public async Task A_look_at_an_untagged_manifest_renews_its_lease_once_less_than_half_is_left()
    {
        var image = await PushAsync(Plain("image"));
        Assert.Equal(Lease, await LeaseOfAsync(image));

        Time.Advance(Half);
        await HoldAsync(image.Digest);
        Assert.Equal((Half, 1), (await LeaseOfAsync(image), Database.Writes));

        Time.Advance(Moment);
        await HoldAsync(image.Digest);
        Assert.Equal((Lease, 2), (await LeaseOfAsync(image), Database.Writes));
    }

    [Fact]
    public async Task A_look_at_a_manifest_that_a_tag_or_an_index_refers_to_writes_nothing()
    {
        var tagged = await PushAsync(Plain("tagged").Tagged("v1"));
        var child = await PushAsync(Plain("child"));
        await PushAsync(Index("index", child.Digest).Tagged("v2"));
        var writes = Database.Writes;

        Time.Advance(Lease * 3);
        await HoldAsync(tagged.Digest);
        await HoldAsync(Tag.Parse("v1"));
        await HoldAsync(child.Digest);

        Assert.Equal(writes, Database.Writes);
    }

    [Fact]
    public async Task Pushing_a_manifest_again_renews_its_lease()
    {
        var image = await PushAsync(Plain("image"));
        Time.Advance(Half);
        await PushAsync(image);
        Assert.Equal(Lease, await LeaseOfAsync(image));
    }

    [Fact]
    public async Task What_a_deleted_manifest_referred_to_has_a_full_lease_in_the_same_change()
    {
        var config = await PushBlobAsync("config");
        var child = await PushAsync(Image("child", "config"));
        var index = await PushAsync(Index("index", child.Digest));
        Time.Advance(Lease * 3);
        var writes = Database.Writes;

        Assert.True(await Manifests.DeleteAsync(App, index.Digest, Alice, CancellationToken.None));
        Assert.Equal((Lease, writes + 1), (await LeaseOfAsync(child), Database.Writes));
        Assert.Equal(Lease * -2, await LeaseOfBlobAsync(config));

        Assert.True(await Manifests.DeleteAsync(App, child.Digest, Alice, CancellationToken.None));
        Assert.Equal((Lease, writes + 2), (await LeaseOfBlobAsync(config), Database.Writes));
    }

    [Fact]
    public async Task What_referred_to_a_deleted_manifest_has_a_full_lease_in_the_same_change()
    {
        var image = await PushAsync(Plain("image"));
        var signature = await PushAsync(Plain("signature").WithSubject(image.Digest));
        Time.Advance(Lease * 3);
        var writes = Database.Writes;

        Assert.True(await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None));
        Assert.Equal((Lease, writes + 1), (await LeaseOfAsync(signature), Database.Writes));
    }

    [Fact]
    public async Task The_manifest_of_a_deleted_tag_has_a_full_lease_in_the_same_change()
    {
        var image = await PushAsync(Plain("image").Tagged("v1"));
        Time.Advance(Lease * 3);
        var writes = Database.Writes;

        await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);

        Assert.Equal((Lease, writes + 1), (await LeaseOfAsync(image), Database.Writes));
    }

    [Fact]
    public async Task The_manifest_that_a_tag_moves_away_from_has_a_full_lease_in_the_same_change()
    {
        var before = await PushAsync(Plain("before").Tagged("v1"));
        var bystander = await PushAsync(Plain("bystander").Tagged("v2"));
        Time.Advance(Lease * 3);
        var writes = Database.Writes;

        await PushAsync(Plain("after").Tagged("v1"));

        Assert.Equal((Lease, writes + 1), (await LeaseOfAsync(before), Database.Writes));
        Assert.Equal(Lease * -2, await LeaseOfAsync(bystander));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_renewed_as_long_as_the_row_is_there()
    {
        var (blob, image) = (await PushBlobAsync("layer"), await PushAsync(Plain("image")));
        Time.Advance(Lease * 3);

        Assert.Equal(blob, await Links.FindAndHoldAsync(App, blob.Digest, CancellationToken.None));
        await HoldAsync(image.Digest);

        Assert.Equal((Lease, Lease), (await LeaseOfBlobAsync(blob), await LeaseOfAsync(image)));
    }

    private async Task HoldAsync(Reference reference)
        => Assert.NotNull(await Manifests.FindAndHoldAsync(App, reference, CancellationToken.None));
}
