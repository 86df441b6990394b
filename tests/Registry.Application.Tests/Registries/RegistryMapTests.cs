using NSubstitute;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Registries;

public sealed class RegistryMapTests
{
    private static readonly RegistryMap Map = Of(
        ("default", "", []),
        ("wild", "", ["*.example.com"]),
        ("team", "team", []),
        ("nested", "team/a", []),
        ("both", "both", ["both.example.com"]),
        ("exact", "", ["exact.example.com", "[::1]"]),
        ("deep", "", ["*.deep.example.com"]));

    [Theory]
    [InlineData("localhost", "app", "default:app")]
    [InlineData("localhost", "library/app", "default:library/app")]
    [InlineData("localhost", "team/app", "team:app")]
    [InlineData("localhost", "team/app/x", "team:app/x")]
    [InlineData("localhost", "team", "default:team")] // a path alone leaves no name inside
    [InlineData("localhost", "teams/app", "default:teams/app")] // no boundary
    [InlineData("localhost", "team-b/app", "default:team-b/app")]
    [InlineData("localhost", "x/team/app", "default:x/team/app")]
    [InlineData("localhost", "team/a/app", "nested:app")] // the longest path
    [InlineData("localhost", "team/a", "team:a")]
    [InlineData("localhost", "team/ab/app", "team:ab/app")]
    [InlineData("localhost", "wild/app", "default:wild/app")] // it lives on its hosts alone
    [InlineData("localhost", "both/app", "both:app")]
    [InlineData("both.example.com", "app", "both:app")]
    [InlineData("both.example.com", "both/app", "both:both/app")]
    [InlineData("exact.example.com", "team/app", "exact:team/app")] // on a host the whole name is the repository
    [InlineData("EXACT.Example.COM", "app", "exact:app")]
    [InlineData("[::1]", "app", "exact:app")]
    [InlineData("a.example.com", "team/app", "wild:team/app")]
    [InlineData("a.b.EXAMPLE.com", "app", "wild:app")]
    [InlineData("example.com", "app", "default:app")]
    [InlineData(".example.com", "app", "default:app")]
    [InlineData("badexample.com", "app", "default:app")]
    [InlineData("a.example.com.evil.org", "app", "default:app")]
    [InlineData("a.deep.example.com", "app", "deep:app")] // the closest pattern
    [InlineData("", "app", "default:app")]
    [InlineData(null, "app", "default:app")]
    public void A_repository_is_found_by_host_then_by_the_longest_path(string? host, string name, string identity)
    {
        var address = Map.Resolve(Host(host), ns: null, RepositoryName.Parse(name));
        Assert.Equal(identity, address?.Identity.ToString());
        Assert.Equal(name, address?.ClientName.Value); // the client keeps seeing what it asked for
    }

    [Theory]
    [InlineData("hub.example.com", 5000, "name")]
    [InlineData("hub.example.com", 5001, "both")] // of the same name, the one with the port
    [InlineData("a.example.com", 5001, "suffix")] // a name says more than a port
    [InlineData("localhost", 5001, "port")]
    [InlineData("[::1]", 5001, "port")]
    [InlineData("localhost", 5002, "default")]
    [InlineData("localhost", 443, "secure")]
    [InlineData("[::1]", 5002, "address")]
    [InlineData("", 5001, "default")] // who names no host, names no port
    public void A_repository_is_found_by_the_port_too(string name, int port, string registry)
    {
        var map = Of(
            ("default", "", []),
            ("name", "", ["hub.example.com"]),
            ("port", "", ["*:5001"]),
            ("both", "", ["hub.example.com:5001"]),
            ("suffix", "", ["*.example.com"]),
            ("secure", "", ["*:443"]),
            ("address", "", ["[::1]:5002"]));
        var found = map.Resolve(new(name, port), ns: null, RepositoryName.Parse("app"));
        Assert.Equal(registry, found!.Identity.Registry.Value);
        Assert.Equal(registry is not "default", map.HasHost(new(name, port)));
        Assert.Equal(registry is not ("default" or "port" or "secure"), map.HasName(new(name, port)));
    }

    [Fact]
    public void An_upstream_that_no_registry_stands_for_is_never_looked_up_elsewhere()
    {
        Assert.Null(Map.Resolve(Host("localhost"), "docker.io", RepositoryName.Parse("team/app")));
        Assert.NotNull(Map.Resolve(Host("localhost"), "", RepositoryName.Parse("team/app")));
        Assert.NotNull(Map.Resolve(Host("exact.example.com"), "docker.io", RepositoryName.Parse("team/app"))); // the host comes first
    }

    [Fact]
    public void Where_no_registry_is_at_the_root_other_names_belong_to_none()
    {
        var map = Of(("team", "team", []));
        Assert.Null(map.Resolve(Host("localhost"), null, RepositoryName.Parse("app")));
        Assert.Equal("team:app", map.Resolve(Host("localhost"), null, RepositoryName.Parse("team/app"))!.Identity.ToString());
    }

    [Fact]
    public void Slashes_around_a_path_mean_nothing()
        => Assert.Equal("team:app", Of(("team", "/team/", [])).Resolve(null, null, RepositoryName.Parse("team/app"))!.Identity.ToString());

    [Fact]
    public void A_list_on_a_host_covers_that_registry_and_any_other_list_all_that_have_a_path()
    {
        Assert.Equal([(RegistryName.Parse("exact"), "")], Map.Visible(Host("exact.example.com")));
        Assert.Equal(
            [("both", "both/"), ("default", ""), ("nested", "team/a/"), ("team", "team/")],
            Map.Visible(Host("localhost")).Select(entry => (entry.Registry.Value, entry.Prefix)).Order());
    }

    [Fact]
    public void A_registrys_blobs_go_to_its_store()
    {
        var (stores, fast) = (Substitute.For<IBlobStores>(), Substitute.For<IBlobStore>());
        stores.Find("fast").Returns(fast);
        stores.Find("lost").Returns((IBlobStore?)null);
        var map = new RegistryMap(
            new Dictionary<string, RegistrySettings> { ["a"] = new() { Store = "fast" }, ["b"] = new() { Path = "b", Store = "lost" } }, stores);

        Assert.Same(fast, map.StoreOf(RegistryName.Parse("a")));
        var error = Assert.Throws<InvalidOperationException>(() => map.StoreOf(RegistryName.Parse("b")));
        Assert.Contains("'lost'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_group_stands_for_its_members_in_their_order_and_groups_within_it_are_unfolded()
    {
        var map = Of(Groups());
        var repository = new RepositoryIdentity(RegistryName.Parse("outer"), RepositoryName.Parse("app"));

        Assert.Equal(["b:app", "a:app", "hub:library/app"], map.MembersOf(repository)!.Select(member => member.ToString()));
        Assert.Equal("a:app", map.TargetOf(repository)!.ToString());
        Assert.True(map.IsGroup(repository.Registry));
        Assert.Null(map.MembersOf(repository with { Registry = RegistryName.Parse("a") }));
        var changed = map.ForChange(new(repository, RepositoryName.Parse("outer/app")));
        Assert.Equal(("a:app", "outer/app", repository), (changed.Identity.ToString(), changed.ClientName.Value, changed.Group));
    }

    [Fact]
    public void A_registry_that_is_configured_no_more_is_no_group()
    {
        var map = Of(Groups());
        var gone = new RepositoryIdentity(RegistryName.Parse("gone"), RepositoryName.Parse("app"));
        Assert.False(map.IsGroup(gone.Registry));
        Assert.Null(map.MembersOf(gone));
        Assert.Null(map.TargetOf(gone));
    }

    [Theory]
    [InlineData("outer", "inner", "is a member of itself")]
    [InlineData("outer", "nobody", "unknown member 'nobody'")]
    public void A_group_has_members_that_there_are_and_not_itself(string group, string member, string problem)
    {
        var settings = Groups();
        settings["inner"].Members.Add(member == "inner" ? group : member);
        Assert.Contains(problem, Assert.Throws<ArgumentException>(() => Of(settings)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("docker.io", "app", "hub:library/app")]
    [InlineData("docker.io", "team/app", "hub:team/app")]
    [InlineData("DOCKER.IO", "a/team/app", "hub:a/team/app")]
    [InlineData("ghcr.example:8443", "app", "ghcr:app")]
    [InlineData("registry-1.docker.io", "app", null)]
    [InlineData("ghcr.example", "app", null)]
    public void Ns_names_the_proxy_of_that_upstream(string ns, string name, string? identity)
    {
        var settings = Groups();
        settings["ghcr"] = new() { Kind = RegistryKind.Proxy, Path = "ghcr", Upstream = "https://ghcr.example:8443" };
        Assert.Equal(identity, Of(settings).Resolve(Host("localhost"), ns, RepositoryName.Parse(name))?.Identity.ToString());
    }

    [Fact]
    public void Two_proxies_cannot_be_the_same_mirror()
    {
        var settings = Groups();
        settings["again"] = new() { Kind = RegistryKind.Proxy, Path = "again", Upstream = "https://index.docker.io" };
        Assert.Contains("docker.io", Assert.Throws<ArgumentException>(() => Of(settings)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_registries_cannot_claim_the_same_path()
    {
        var error = Assert.Throws<ArgumentException>(() => Of(("one", "team", []), ("two", "/team", [])));
        Assert.Contains("one", error.Message, StringComparison.Ordinal);
        Assert.Contains("two", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Of(("default", "", []), ("other", "", [])));
    }

    [Fact]
    public void Two_registries_cannot_claim_the_same_host()
    {
        var error = Assert.Throws<ArgumentException>(() => Of(("one", "1", ["a.example.com"]), ("two", "2", ["b", "A.Example.com"])));
        Assert.Contains("one", error.Message, StringComparison.Ordinal);
        Assert.Contains("two", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Of(("one", "1", ["*.example.com"]), ("two", "2", ["*.example.com"])));
    }

    private static Dictionary<string, RegistrySettings> Groups() => new()
    {
        ["default"] = new(),
        ["a"] = new() { Path = "a" },
        ["b"] = new() { Path = "b" },
        ["hub"] = new() { Kind = RegistryKind.Proxy, Path = "hub", Upstream = "https://registry-1.docker.io" },
        ["inner"] = new() { Kind = RegistryKind.Group, Path = "inner", Members = { "a", "hub" } },
        ["outer"] = new() { Kind = RegistryKind.Group, Path = "outer", Members = { "b", "inner", "a" }, PushTo = "a" },
    };

    private static RegistryMap Of(Dictionary<string, RegistrySettings> settings) => new(settings, Substitute.For<IBlobStores>());

    private static RegistryMap Of(params (string Name, string Path, string[] Hosts)[] registries)
        => new(registries.ToDictionary(entry => entry.Name, entry => Settings(entry.Path, entry.Hosts)), Substitute.For<IBlobStores>());

    private static RequestedHost? Host(string? name) => name is null ? null : new(name, 5000);

    private static RegistrySettings Settings(string path, string[] hosts)
    {
        var settings = new RegistrySettings { Path = path };
        foreach (var host in hosts)
            settings.Hosts.Add(host);
        return settings;
    }
}
