using NSubstitute;
using Registry.Application.Catalog;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Catalog;

public sealed class ListRepositoriesTests : IAsyncLifetime
{
    private readonly UseCases _registry = new();
    private readonly Dictionary<string, string[]> _names = new(StringComparer.Ordinal)
    {
        ["default"] = ["app", "team-b/x", "zoo"],
        ["team"] = ["app", "web", "zoo"],
        ["other"] = ["b/c", "b0"],
    };

    public Task InitializeAsync()
    {
        _registry.Registries["team"] = new RegistrySettings { Path = "team" };
        _registry.Registries["other"] = new RegistrySettings { Path = "other" };
        _registry.Registries["other"].Hosts.Add("other.example.com");

        // What the port promises: names of one registry in byte order, behind a key, with a prefix.
        _registry.Catalog.ListAsync(default!, default, default!, default, default).ReturnsForAnyArgs(call =>
        {
            var (after, prefix) = (call.ArgAt<string?>(1), call.ArgAt<string>(2));
            return [.. _names[call.ArgAt<RegistryName>(0).Value]
                .Where(name => string.CompareOrdinal(name, after) > 0 && name.StartsWith(prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Take(call.ArgAt<int>(3))];
        });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    [Fact]
    public async Task Registries_are_one_list_in_byte_order_under_the_names_of_the_client()
    {
        var page = await _registry.GetAsync(List());
        Assert.Equal(["app", "other/b/c", "other/b0", "team-b/x", "team/app", "team/web", "team/zoo", "zoo"], Names(page));
        Assert.False(page.More);
        Assert.Equal("team:web", page.Items[5].Identity.ToString());
    }

    [Fact]
    public async Task A_host_of_its_own_shows_its_registry_alone()
        => Assert.Equal(["b/c", "b0"], Names(await _registry.GetAsync(List() with { Host = new("other.example.com", 443) })));

    [Theory]
    [InlineData("te", "team-b/x,team/app,team/web,team/zoo")]
    [InlineData("team/", "team/app,team/web,team/zoo")]
    [InlineData("team/w", "team/web")]
    [InlineData("z", "zoo")]
    [InlineData("x", "")]
    public async Task A_prefix_applies_to_the_name_that_the_client_sees(string prefix, string expected)
        => Assert.Equal(expected, string.Join(',', Names(await _registry.GetAsync(List() with { Prefix = prefix }))));

    [Theory]
    [InlineData("app")]
    [InlineData("a")]
    [InlineData("other")]
    [InlineData("other/b/c")]
    [InlineData("team")]
    [InlineData("team-b/x")]
    [InlineData("team/")]
    [InlineData("team/x")]
    [InlineData("team0")]
    [InlineData("zzz")]
    public async Task A_page_begins_behind_any_key(string after)
    {
        var all = Names(await _registry.GetAsync(List()));
        var page = await _registry.GetAsync(List(after: after));
        Assert.Equal(all.Where(name => string.CompareOrdinal(name, after) > 0), Names(page));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(100)]
    public async Task Pages_of_any_size_put_together_are_the_whole_list(int size)
    {
        _registry.Access.Allows(default!, default!, default).ReturnsForAnyArgs(true);
        Assert.Equal(Names(await _registry.GetAsync(List())), await WalkAsync(size));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Repositories_that_may_not_be_pulled_do_not_show_and_end_no_page_early(int size)
    {
        _names["team"] = [.. Enumerable.Range(0, 250).Select(i => $"hidden{i:000}"), "web"];
        _registry.Access.Allows(Arg.Any<Principal>(), Arg.Any<RepositoryIdentity>(), RegistryAction.Pull)
            .Returns(call => !call.ArgAt<RepositoryIdentity>(1).Name.Value.StartsWith("hidden", StringComparison.Ordinal));

        Assert.Equal(["app", "other/b/c", "other/b0", "team-b/x", "team/web", "zoo"], await WalkAsync(size));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100)]
    public async Task Only_where_something_may_be_pulled_is_looked_for_it(int size)
    {
        _names["team"] = [.. Enumerable.Range(0, 250).Select(i => $"hidden{i:000}"), "web/a", "web/b", "zoo"];
        _registry.Access.PullPrefixes(Arg.Any<Principal>(), Arg.Any<RegistryName>()).Returns([]);
        _registry.Access.PullPrefixes(Arg.Any<Principal>(), RegistryName.Parse("team")).Returns(["app", "web/", "zoo"]);

        Assert.Equal(["team/web/a", "team/web/b", "team/zoo"], await WalkAsync(size));
        Assert.Equal(["team/web/b"], Names(await _registry.GetAsync(List() with { Prefix = "team/web/b" })));

        await _registry.Catalog.DidNotReceive().ListAsync(
            RegistryName.Default, Arg.Any<string?>(), Arg.Any<string>(), Arg.Any<int>(), Arg.Any<CancellationToken>());
        await _registry.Catalog.DidNotReceive().ListAsync(
            Arg.Any<RegistryName>(), Arg.Any<string?>(), "", Arg.Any<int>(), Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task An_empty_page_has_no_next_one()
    {
        var page = await _registry.GetAsync(List(size: 0));
        Assert.Empty(page.Items);
        Assert.False(page.More);
    }

    [Fact]
    public async Task A_name_that_is_too_long_under_its_path_shows_only_on_its_host()
    {
        var longest = new string('x', RepositoryName.MaxLength);
        _names["other"] = [longest, "y"];
        Assert.Contains("other/y", Names(await _registry.GetAsync(List())));
        Assert.Equal([longest, "y"], Names(await _registry.GetAsync(List() with { Host = new("other.example.com", 443) })));
        Assert.Contains("other/y", await WalkAsync(1));
    }

    [Fact]
    public async Task A_repository_that_lost_its_tags_meanwhile_is_listed_without_any()
    {
        _registry.Tags.ListAsync(default!, default!, default).ReturnsForAnyArgs((Page<string>?)null);
        var page = await _registry.GetAsync(new ListRepositoryTagsQuery(null, new(1, null), UseCases.Alice));
        Assert.Empty(Assert.Single(page.Items).Tags);
        Assert.True(page.More);
    }

    private static ListRepositoriesQuery List(int size = 100, string? after = null)
        => new(new("localhost", 80), Prefix: "", new(size, after), UseCases.Alice);

    private static string[] Names(Page<RepositoryAddress> page) => [.. page.Items.Select(item => item.ClientName.Value)];

    private async Task<List<string>> WalkAsync(int size)
    {
        var walked = new List<string>();
        Page<RepositoryAddress> page;
        do
        {
            page = await _registry.GetAsync(List(size, walked.LastOrDefault()));
            walked.AddRange(Names(page));
        }
        while (page.More && walked.Count < 100);
        return walked;
    }
}
