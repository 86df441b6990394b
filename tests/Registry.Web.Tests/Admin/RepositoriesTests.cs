using System.Text.Json;

namespace Registry.Web.Tests.Admin;

public sealed class RepositoriesTests : IAsyncLifetime
{
    private static readonly string[] Names = ["a", "b/a", "b/a-b", "b/a.b", "b/a/b", "b/a_b", "c"];

    private RegistryFactory _registry = null!;

    public async Task InitializeAsync()
    {
        _registry = await RegistryFactory.StartAsync(
            ("Registries:default:Path", ""), ("Registries:hub:Path", "hub"), ("Registries:team:Path", "team/x"), ("Registries:team:Hosts:0", "team.example"));
        foreach (var name in Names.Reverse())
            await _registry.Client.PushImageAsync(name, "v1");
        await _registry.Client.PushImageAsync("hub/library/busybox", "v1");
    }

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    [Fact]
    public async Task Registries_are_listed_as_configured()
    {
        var list = (await _registry.Client.GetAsync("/api/v1/registries")).Expect(200).ExpectHeader("Content-Type", "application/json; charset=utf-8").Json;
        Assert.Equal(
            ["default hosted '' ", "hub hosted 'hub' ", "team hosted 'team/x' team.example"],
            list.EnumerateArray().Select(registry =>
                $"{registry.GetProperty("name")} {registry.GetProperty("kind")} '{registry.GetProperty("path")}' "
                + string.Join(' ', registry.GetProperty("hosts").EnumerateArray())));
    }

    [Fact]
    public async Task Repositories_are_listed_in_byte_order_with_the_registry_they_are_in()
    {
        var page = (await GetAsync("")).Json;
        Assert.Equal([.. Names, "hub/library/busybox"], NamesOf(page));
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
        var last = page.GetProperty("items").EnumerateArray().Last();
        Assert.Equal(("hub", "library/busybox"), (last.GetProperty("registry").GetString(), last.GetProperty("nameInRegistry").GetString()));
    }

    [Theory]
    [InlineData("b/", "b/a b/a-b b/a.b b/a/b b/a_b")]
    [InlineData("b/a-", "b/a-b")]
    [InlineData("hub/", "hub/library/busybox")]
    [InlineData("h", "hub/library/busybox")]
    [InlineData("hub/library/b", "hub/library/busybox")]
    [InlineData("B", "")]
    [InlineData("%25", "")]
    [InlineData("zzz", "")]
    public async Task A_prefix_narrows_the_list(string prefix, string expected)
        => Assert.Equal(expected, string.Join(' ', NamesOf((await GetAsync($"?prefix={prefix}")).Json)));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public async Task Next_leads_through_all_pages(int size)
    {
        var (all, last) = (new List<string>(), "");
        for (string? next = ""; next is not null;)
        {
            var page = (await GetAsync($"?n={size}{last}")).Json;
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 1, size);
            all.AddRange(NamesOf(page));
            next = page.GetProperty("next").GetString();
            Assert.True(next is null || next == all[^1]);
            last = $"&last={Uri.EscapeDataString(next ?? "")}";
        }

        Assert.Equal([.. Names, "hub/library/busybox"], all);
    }

    [Fact]
    public async Task A_prefix_is_kept_from_page_to_page()
    {
        Assert.Equal(["b/a-b", "b/a.b"], NamesOf((await GetAsync("?prefix=b/&n=2&last=b/a")).Json));
        Assert.Equal(["b/a/b", "b/a_b"], NamesOf((await GetAsync("?prefix=b/&last=b/a.never-there")).Json));
        Assert.Empty(NamesOf((await GetAsync("?prefix=b/&last=c")).Json));
    }

    [Fact]
    public async Task A_page_of_none_is_empty_and_the_last()
    {
        var page = (await GetAsync("?n=0")).Json;
        Assert.Empty(NamesOf(page));
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("many")]
    public async Task A_number_that_is_none_is_refused(string n)
    {
        foreach (var path in new[] { $"/api/v1/repositories?n={n}", $"/api/v1/tags?repository=a&n={n}" })
            (await _registry.Client.GetAsync(path)).ExpectProblem(400, $"'{n}'");
    }

    [Fact]
    public async Task What_is_not_there_is_a_problem_too()
    {
        (await _registry.Client.GetAsync("/api/v1/nothing")).ExpectProblem(404, "nothing");
        (await _registry.Client.PostAsync("/api/v1/repositories")).ExpectProblem(405, "POST");
        (await _registry.Client.DeleteAsync("/api/v1/registries")).ExpectProblem(405, "DELETE");
    }

    [Fact]
    public async Task Where_nobody_may_pull_nothing_is_listed()
    {
        await using var closed = await RegistryFactory.StartAsync(("Access:Anonymous", "None"));
        foreach (var path in new[] { "registries", "repositories", "tags?repository=a", "manifests?repository=a&reference=v1" })
        {
            var answer = (await closed.Client.GetAsync($"/api/v1/{path}")).ExpectProblem(401, "credentials");
            Assert.NotNull(answer.Header("WWW-Authenticate"));
        }
    }

    private async Task<Answer> GetAsync(string query) => (await _registry.Client.GetAsync($"/api/v1/repositories{query}")).Expect(200);

    private static IEnumerable<string> NamesOf(JsonElement page)
        => page.GetProperty("items").EnumerateArray().Select(repository => repository.GetProperty("name").GetString()!);
}
