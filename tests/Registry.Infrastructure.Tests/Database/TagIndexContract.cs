using Registry.Domain.Manifests;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteTagIndexTests : TagIndexContract<SqliteTestDatabase>;

public sealed class PostgreSqlTagIndexTests : TagIndexContract<PostgreSqlTestDatabase>;

public abstract class TagIndexContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    // Byte order: capitals before small letters, and the underscore between them; signs and digits first.
    private static readonly string[] InOrder = ["0", "1-a", "1.0", "1.0-a", "1.0.0", "10", "9", "A", "B", "Z", "_", "a", "a-b", "a.b", "a0", "aA", "a_b", "aa", "b"];

    [Fact]
    public async Task A_tag_moves_and_its_history_tells_how()
    {
        var (first, second) = (Plain("first"), Plain("second"));
        await PushAsync(first.Tagged("v1"));
        await PushAsync(second.Tagged("v1") with { Principal = new("bob") });
        Assert.Equal(second.Digest, (await FindAsync("v1"))?.Digest);
        Assert.NotNull(await FindAsync(first.Digest.ToString()));

        Assert.True(await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None));

        Assert.Equal([first.Digest.ToString(), second.Digest.ToString(), null], await HistoryAsync("v1"));
        Assert.Equal("bob", await ScalarAsync<string>("SELECT principal FROM tag_history WHERE digest = @Digest", new { Digest = Registry.Infrastructure.Database.DigestColumn.ToColumn(second.Digest) }));
    }

    [Fact]
    public async Task The_same_digest_pushed_again_is_no_move()
    {
        await PushAsync(Plain("image").Tagged("v1"));
        var pushed = (await DetailsAsync()).Single().UpdatedAt;
        Time.Advance(TimeSpan.FromHours(1));

        await PushAsync(Plain("image").Tagged("v1"));

        Assert.Single(await HistoryAsync("v1"));
        Assert.Equal(pushed, (await DetailsAsync()).Single().UpdatedAt);
    }

    [Fact]
    public async Task A_deleted_tag_leaves_its_manifest_and_the_other_tags()
    {
        var image = await PushAsync(Plain("image").Tagged("v1", "latest"));

        Assert.True(await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None));

        Assert.Null(await FindAsync("v1"));
        Assert.Equal(image.Digest, (await FindAsync("latest"))?.Digest);
        Assert.NotNull(await FindAsync(image.Digest.ToString()));
        Assert.False(await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None));
        Assert.False(await Tags.DeleteAsync(App, Tag.Parse("LATEST"), Alice, CancellationToken.None));
        Assert.False(await Tags.DeleteAsync(Other, Tag.Parse("latest"), Alice, CancellationToken.None));
        Assert.Equal(2, (await HistoryAsync("v1")).Count);
    }

    [Fact]
    public async Task Tags_are_listed_in_byte_order()
    {
        await PushAsync(Plain("image").Tagged([.. InOrder.Reverse()]));
        Assert.Equal(InOrder, (await Tags.ListAsync(App, new(100, null), CancellationToken.None))!.Items);
        Assert.Equal(InOrder, (await DetailsAsync()).Select(tag => tag.Tag));
        Assert.Equal(InOrder.Order(StringComparer.Ordinal), InOrder);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(19)]
    [InlineData(20)]
    public async Task Pages_join_to_the_whole_list(int size)
    {
        await PushAsync(Plain("image").Tagged(InOrder));
        var (names, details, last) = (new List<string>(), new List<string>(), (string?)null);
        for (var more = true; more;)
        {
            var page = await Tags.ListAsync(App, new(size, last), CancellationToken.None);
            var same = await Tags.ListDetailsAsync(App, new(size, last), CancellationToken.None);
            Assert.InRange(page!.Items.Count, 1, size);
            Assert.Equal(page.More, same!.More);
            names.AddRange(page.Items);
            details.AddRange(same.Items.Select(tag => tag.Tag));
            (last, more) = (page.Items[^1], page.More);
        }

        Assert.Equal(InOrder, names);
        Assert.Equal(InOrder, details);
    }

    [Theory]
    [InlineData("1.0.0-never-there", "10")]
    [InlineData("AA", "B")]
    [InlineData("Zz", "_")]
    [InlineData("a-", "a-b")]
    public async Task A_page_begins_behind_a_tag_that_does_not_exist(string last, string next)
    {
        await PushAsync(Plain("image").Tagged(InOrder));
        Assert.Equal(next, (await Tags.ListAsync(App, new(1, last), CancellationToken.None))!.Items.Single());
        Assert.Equal(next, (await Tags.ListDetailsAsync(App, new(1, last), CancellationToken.None))!.Items.Single().Tag);
    }

    [Fact]
    public async Task Behind_the_last_tag_is_an_empty_page()
    {
        await PushAsync(Plain("image").Tagged(InOrder));
        var page = await Tags.ListAsync(App, new(10, "zzz"), CancellationToken.None);
        Assert.Empty(page!.Items);
        Assert.False(page.More);
    }

    [Fact]
    public async Task A_page_of_none_is_empty_and_the_last()
    {
        await PushAsync(Plain("image").Tagged(InOrder));
        var page = await Tags.ListAsync(App, new(0, null), CancellationToken.None);
        Assert.Empty(page!.Items);
        Assert.False(page.More);
    }

    [Fact]
    public async Task A_repository_without_tags_has_an_empty_list_and_no_repository_has_none()
    {
        await PushAsync(Plain("image"));
        await PushAsync(Plain("image").In(Other).Tagged("v1"));

        Assert.Empty((await Tags.ListAsync(App, new(10, null), CancellationToken.None))!.Items);
        Assert.Empty((await Tags.ListDetailsAsync(App, new(10, null), CancellationToken.None))!.Items);
        Assert.Null(await Tags.ListAsync(Repository("no/such"), new(10, null), CancellationToken.None));
        Assert.Null(await Tags.ListDetailsAsync(Repository("no/such"), new(10, null), CancellationToken.None));
    }

    [Fact]
    public async Task Details_tell_what_a_tag_points_at()
    {
        var image = await PushAsync(Plain("sbom").OfType("application/x.sbom").Tagged("v1"));
        var tag = (await DetailsAsync()).Single();
        Assert.Equal(new("v1", image.Digest.ToString(), MediaType.OciIndex.Value, "application/x.sbom", 4, Time.Now), tag);
    }

    private async Task<IReadOnlyList<Application.Tags.TaggedManifest>> DetailsAsync()
        => (await Tags.ListDetailsAsync(App, new(100, null), CancellationToken.None))!.Items;
}
