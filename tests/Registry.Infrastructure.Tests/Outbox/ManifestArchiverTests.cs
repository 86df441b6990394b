using Dapper;
using Registry.Application.Manifests;
using Registry.Application.Tags;
using Registry.Domain.Manifests;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Outbox;
using Registry.Infrastructure.Tests.FileSystem;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Outbox;

/// <summary>The store's copies of manifests and tags follow the database, whatever happens in between.</summary>
public sealed class ManifestArchiverTests : IDisposable
{
    private const string Repositories = "docker/registry/v2/repositories";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Behind_a_push_the_files_of_manifest_and_tag_appear()
    {
        await using var instance = await StartAsync();
        await instance.RunAsync<ManifestArchiver>();

        var image = await PushAsync(instance, Plain("image").Tagged("v1"));
        await DoneAsync(instance);

        Assert.Equal(
            [
                $"docker/registry/v2/blobs/sha256/{image.Digest.Hex[..2]}/{image.Digest.Hex}/data",
                $"{Repositories}/team/app/_manifests/revisions/sha256/{image.Digest.Hex}/link",
                $"{Repositories}/team/app/_manifests/tags/v1/current/link",
                $"{Repositories}/team/app/_manifests/tags/v1/index/sha256/{image.Digest.Hex}/link",
            ],
            Files());
        Assert.Equal("image", await File.ReadAllTextAsync(Blobs(Files()[0])));
        Assert.Equal(image.Digest.ToString(), await File.ReadAllTextAsync(Blobs(Files()[2])));
    }

    [Fact]
    public async Task A_moved_tag_leads_to_where_it_moved()
    {
        await using var instance = await StartAsync();
        await instance.RunAsync<ManifestArchiver>();
        await PushAsync(instance, Plain("before").Tagged("v1"));
        await DoneAsync(instance);

        var after = await PushAsync(instance, Plain("after").Tagged("v1"));
        await DoneAsync(instance);

        Assert.Equal(after.Digest.ToString(), await File.ReadAllTextAsync(Blobs($"{Repositories}/team/app/_manifests/tags/v1/current/link")));
        Assert.Equal(2, Files().Count(file => file.Contains("/tags/v1/index/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Behind_a_delete_the_files_go()
    {
        await using var instance = await StartAsync();
        await instance.RunAsync<ManifestArchiver>();
        var image = await PushAsync(instance, Plain("image").Tagged("v1", "v2"));
        await DoneAsync(instance);

        await instance.Get<ITagIndex>().DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);
        await DoneAsync(instance);
        Assert.DoesNotContain(Files(), file => file.Contains("/tags/v1/", StringComparison.Ordinal));
        Assert.Contains(Files(), file => file.Contains("/tags/v2/", StringComparison.Ordinal));
        Assert.Contains(Files(), file => file.Contains("/revisions/", StringComparison.Ordinal));

        await instance.Get<IManifestIndex>().DeleteAsync(App, image.Digest, Alice, CancellationToken.None);
        await DoneAsync(instance);
        Assert.DoesNotContain(Files(), file => file.Contains("/_manifests/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restart_finishes_what_was_noted_before_it()
    {
        await using (var before = await StartAsync())
        {
            for (var number = 0; number < 250; number++)
                await PushAsync(before, Plain($"image {number}").Tagged($"v{number}"));
        }

        Assert.Empty(Files());
        await using var after = await StartAsync();
        await after.RunAsync<ManifestArchiver>();
        await DoneAsync(after);

        Assert.Equal(250, Files().Count(file => file.Contains("/revisions/", StringComparison.Ordinal)));
        Assert.Equal(250, Files().Count(file => file.EndsWith("/current/link", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_copy_that_fails_is_tried_again_and_holds_up_no_other()
    {
        await using var instance = await StartAsync();
        var obstacle = Blobs($"{Repositories}/team/app");
        Directory.CreateDirectory(Path.GetDirectoryName(obstacle)!);
        await File.WriteAllTextAsync(obstacle, "a file where a folder belongs");
        await PushAsync(instance, Plain("image").Tagged("v1"));
        await PushAsync(instance, Plain("image").In(Other).Tagged("v1"));

        await instance.RunAsync<ManifestArchiver>();
        await UntilAsync(() => Task.FromResult(instance.Errors.Count > 0));
        await UntilAsync(async () => (await PendingAsync(instance)).All(repository => repository == App.Name.Value));
        Assert.Equal(2, (await PendingAsync(instance)).Count);
        Assert.Contains(Files(), file => file.StartsWith($"{Repositories}/team/other/_manifests/tags/v1/", StringComparison.Ordinal));

        File.Delete(obstacle);
        await DoneAsync(instance);
        Assert.Contains(Files(), file => file.StartsWith($"{Repositories}/team/app/_manifests/tags/v1/", StringComparison.Ordinal));
        Assert.Contains(Files(), file => file.StartsWith($"{Repositories}/team/app/_manifests/revisions/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Notes_of_a_registry_that_was_taken_out_of_the_configuration_hold_up_no_other()
    {
        await using (var before = await StartAsync("hub"))
        {
            await PushAsync(before, Plain("image").In(Repository("team/app", "hub")).Tagged("v1"));
            await PushAsync(before, Plain("image").Tagged("v1"));
        }

        await using var after = await StartAsync();
        await after.RunAsync<ManifestArchiver>();
        await DoneAsync(after);

        Assert.Contains(Files(), file => file.StartsWith($"{Repositories}/team/app/_manifests/tags/v1/", StringComparison.Ordinal));
        Assert.Empty(after.Errors);
    }

    private Task<Instance> StartAsync(params string[] registries) => Instance.StartAsync(_data.Path, TimeProvider.System, registries);

    private static async Task<NewManifest> PushAsync(Instance instance, NewManifest manifest)
    {
        Assert.False((await instance.Get<IManifestIndex>().PutAsync(manifest, CancellationToken.None)).IsRefused);
        return manifest;
    }

    // Those too that are being worked on.
    private static Task<List<string>> PendingAsync(Instance instance)
        => instance.Get<RegistryDatabase>().ReadAsync(
            async session => (await session.Connection.QueryAsync<string>("SELECT r.name FROM outbox o JOIN repositories r ON r.id = o.repository_id")).AsList(),
            CancellationToken.None);

    private static Task DoneAsync(Instance instance) => UntilAsync(async () => (await PendingAsync(instance)).Count == 0);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(10, deadline.Token);
    }

    private string Blobs(string path) => _data.Combine("blobs", path);

    private List<string> Files()
        => [.. FileSystemStores.FilesBelow(_data.Combine("blobs")).Where(file => !file.StartsWith("registry-store.", StringComparison.Ordinal))];
}
