using Registry.Web.Tests.Access;

namespace Registry.Web.Tests.Groups;

/// <summary>A group shows of its members what the caller may pull there, whatever credentials it shows.</summary>
public sealed class GroupAccessTests : IAsyncLifetime
{
    private static readonly (string, string) Both = Basic("both");
    private static readonly (string, string) Dev = Basic("dev");

    private readonly TemporaryFolder _folder = new();
    private RegistryFactory _registry = null!;

    public async Task InitializeAsync()
    {
        var file = Path.Combine(_folder.Path, "users");
        await File.WriteAllLinesAsync(file, [Htpasswd.Line("both", "both-secret"), Htpasswd.Line("dev", "dev-secret")]);
        _registry = await RegistryFactory.StartAsync(
            ("Access:Anonymous", "None"),
            ("Access:Htpasswd:Path", file),
            ("Registries:dev:Path", "dev"),
            ("Registries:prod:Path", "prod"),
            ("Registries:all:Kind", "Group"),
            ("Registries:all:Path", "all"),
            ("Registries:all:Members:0", "dev"),
            ("Registries:all:Members:1", "prod"),
            ("Registries:all:PushTo", "prod"),
            ("Access:Rules:0:Subject", "user:both"),
            ("Access:Rules:0:Repositories:0", "**"),
            ("Access:Rules:0:Actions:0", "pull"),
            ("Access:Rules:0:Actions:1", "push"),
            ("Access:Rules:0:Actions:2", "overwrite"),
            ("Access:Rules:1:Subject", "user:dev"),
            ("Access:Rules:1:Registry", "dev"),
            ("Access:Rules:1:Repositories:0", "**"),
            ("Access:Rules:1:Actions:0", "pull"));
        foreach (var repository in new[] { "dev/app", "prod/app", "prod/secret" })
            await PushAsync(repository, repository.Replace('/', '-'));
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(DisplayName = "Who may pull from one member sees that one alone in the group")]
    public async Task Members()
    {
        Assert.Equal(["dev-app", "prod-app"], await TagsAsync("all/app", Both));
        Assert.Equal(["dev-app"], await TagsAsync("all/app", Dev));
        (await _registry.Client.GetAsync("/v2/all/app/manifests/prod-app", Both)).Expect(200);
        (await _registry.Client.GetAsync("/v2/all/app/manifests/prod-app", Dev)).Expect(404);
        (await _registry.Client.GetAsync("/v2/all/app/manifests/dev-app")).Expect(401);
        Assert.Equal(["all/app", "dev/app"], await CatalogAsync(Dev));
        Assert.Equal(["all/app", "all/secret", "dev/app", "prod/app", "prod/secret"], await CatalogAsync(Both));
    }

    [Fact(DisplayName = "Who may push to no member may not push to the group")]
    public async Task Push()
    {
        (await _registry.Client.PostAsync("/v2/all/new/blobs/uploads/", null, Dev)).ExpectError(403, "DENIED");
        (await _registry.Client.PostAsync("/v2/all/new/blobs/uploads/", null, Both)).Expect(202);
    }

    [Fact(DisplayName = "A token for a group is worth there what its holder may do in the members, and nothing in them")]
    public async Task Token()
    {
        var both = await TokenAsync("both", "repository:all/app:pull,push");
        Assert.Equal(["dev-app", "prod-app"], await TagsAsync("all/app", both));
        (await _registry.Client.PostAsync("/v2/all/app/blobs/uploads/", null, both)).Expect(202);
        (await _registry.Client.GetAsync("/v2/dev/app/tags/list", both)).Expect(401);

        var dev = await TokenAsync("dev", "repository:all/app:pull,push");
        Assert.Equal(["dev-app"], await TagsAsync("all/app", dev));
        (await _registry.Client.PostAsync("/v2/all/app/blobs/uploads/", null, dev)).ExpectError(401, "DENIED");

        var pull = await TokenAsync("both", "repository:all/app:pull");
        (await _registry.Client.PostAsync("/v2/all/app/blobs/uploads/", null, pull)).ExpectError(401, "DENIED");
    }

    private async Task PushAsync(string repository, string tag)
    {
        var manifest = ManifestBuilder.Index().Annotation("of", repository).Build();
        (await _registry.Client.PutAsync(
            $"/v2/{repository}/manifests/{tag}", manifest.Bytes, ("Content-Type", manifest.MediaType), Both)).Expect(201);
    }

    private async Task<string[]> TagsAsync(string repository, (string, string) credentials)
        => [.. (await _registry.Client.GetAsync($"/v2/{repository}/tags/list", credentials)).Expect(200).Json
            .GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];

    private async Task<string[]> CatalogAsync((string, string) credentials)
        => [.. (await _registry.Client.GetAsync("/v2/_catalog", credentials)).Expect(200).Json
            .GetProperty("repositories").EnumerateArray().Select(name => name.GetString()!)];

    private async Task<(string, string)> TokenAsync(string user, string scope)
    {
        var service = _registry.Address.Authority;
        var answer = (await _registry.Client.GetAsync(
            $"/token?service={service}&scope={Uri.EscapeDataString(scope)}", Basic(user))).Expect(200);
        return Credentials.Bearer(answer.Json.GetProperty("token").GetString()!);
    }

    private static (string, string) Basic(string user) => Credentials.Basic(user, $"{user}-secret");
}
