using Registry.Domain.Repositories;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteCatalogTests : CatalogContract<SqliteTestDatabase>;

public sealed class PostgreSqlCatalogTests : CatalogContract<PostgreSqlTestDatabase>;

public abstract class CatalogContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    private static readonly string[] InOrder = ["0", "10", "9", "a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0", "a__b", "a_b", "aa", "ab", "b"];

    [Fact]
    public async Task Repositories_are_listed_in_byte_order()
    {
        await PushAllAsync();
        Assert.Equal(InOrder, await ListAsync());
        Assert.Equal(InOrder.Order(StringComparer.Ordinal), InOrder);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(15)]
    public async Task Pages_join_to_the_whole_list(int size)
    {
        await PushAllAsync();
        var all = new List<string>();
        for (var page = await ListAsync(limit: size); page.Count > 0; page = await ListAsync(all[^1], limit: size))
        {
            Assert.InRange(page.Count, 1, size);
            all.AddRange(page);
        }

        Assert.Equal(InOrder, all);
    }

    [Theory]
    [InlineData("a/a", "a/b")]
    [InlineData("a/b-", "a/b-c")]
    [InlineData("a0never", "a__b")]
    [InlineData("b", null)]
    public async Task A_page_begins_behind_a_name_that_need_not_exist(string last, string? next)
    {
        await PushAllAsync();
        Assert.Equal(next, (await ListAsync(last, limit: 1)).SingleOrDefault());
    }

    [Theory]
    [InlineData("a/", "a/b a/b-c a/b/c")]
    [InlineData("a/b", "a/b a/b-c a/b/c")]
    [InlineData("a_", "a__b a_b")]
    [InlineData("b", "b")]
    [InlineData("c", "")]
    [InlineData("A", "")]
    [InlineData("%", "")]
    public async Task A_prefix_is_taken_letter_by_letter(string prefix, string names)
    {
        await PushAllAsync();
        Assert.Equal(names, string.Join(' ', await ListAsync(prefix: prefix)));
    }

    [Fact]
    public async Task A_prefix_and_a_last_name_count_together()
    {
        await PushAllAsync();
        Assert.Equal(["a/b/c"], await ListAsync("a/b-c", "a/"));
        Assert.Equal(["a/b", "a/b-c", "a/b/c"], await ListAsync("0", "a/"));
        Assert.Empty(await ListAsync("b", "a/"));
    }

    [Fact]
    public async Task Only_what_holds_a_manifest_is_listed()
    {
        await PushBlobAsync("layer");
        Assert.True(await Catalog.ExistsAsync(App, CancellationToken.None));
        Assert.Empty(await ListAsync());

        var image = await PushAsync(Plain("image"));
        Assert.Equal(["team/app"], await ListAsync());

        await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None);
        Assert.Empty(await ListAsync());
        Assert.True(await Catalog.ExistsAsync(App, CancellationToken.None));
    }

    [Fact]
    public async Task A_name_is_taken_by_manifests_that_are_not_about_another_one()
    {
        await PushBlobAsync("layer");
        Assert.False(await IsTakenAsync());
        await PushAsync(Plain("attached").WithSubject(DigestOf("elsewhere")).Tagged("attached"));
        Assert.False(await IsTakenAsync());

        var image = await PushAsync(Plain("image"));
        Assert.True(await IsTakenAsync());
        Assert.False(await IsTakenAsync("hub"));

        await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None);
        Assert.False(await IsTakenAsync());

        Task<bool> IsTakenAsync(string registry = "default")
            => Catalog.IsTakenAsync(Repository("team/app", registry), CancellationToken.None);
    }

    [Fact]
    public async Task Every_registry_has_its_own_repositories()
    {
        await PushAsync(Plain("image").In(Repository("same", "hub")));
        Assert.Empty(await ListAsync());
        Assert.Equal(["same"], await Catalog.ListAsync(RegistryName.Parse("hub"), null, "", 10, CancellationToken.None));
        Assert.False(await Catalog.ExistsAsync(Repository("same"), CancellationToken.None));
        Assert.True(await Catalog.ExistsAsync(Repository("same", "hub"), CancellationToken.None));
    }

    private async Task PushAllAsync()
    {
        foreach (var name in InOrder.Reverse())
            await PushAsync(Plain("image").In(Repository(name)));
    }

    private Task<IReadOnlyList<string>> ListAsync(string? after = null, string prefix = "", int limit = 100)
        => Catalog.ListAsync(RegistryName.Default, after, prefix, limit, CancellationToken.None);
}
