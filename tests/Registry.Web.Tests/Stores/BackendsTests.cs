using System.Reflection;
using System.Text.Json;
using Registry.Testing.Processes;
using Xunit.Sdk;

namespace Registry.Web.Tests.Stores;

/// <summary>One server binary on all pairs of store and database: configuration alone differs, no client sees it.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class BackendsTests : IDisposable
{
    private const int Mebi = 1 << 20;
    private const string Repository = "smoke/app";
    private const string Octets = "application/octet-stream";

    private readonly WorkFolder _folder = new("backends");
    private readonly TestContent _small = TestContent.Random(2000);
    private readonly TestContent _large = TestContent.Random((17 * Mebi) + 1);
    private readonly TestContent _whole = TestContent.Random(300_000).AsSha512();
    private readonly TestContent _doomed = TestContent.Random(3000);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [Backends("FileSystem", "Sqlite")]
    [Backends("FileSystem", "PostgreSql")]
    [Backends("S3", "Sqlite")]
    [Backends("S3", "PostgreSql")]
    public async Task A_server_does_the_same_and_finds_all_of_it_again_after_a_restart(string store, string database)
    {
        var settings = await ConfigureAsync(store, database);
        TestContent kept, index;
        string upload;
        await using (var server = await StartAsync(settings))
        {
            using var client = new RegistryClient(server.Address);
            await UploadAsync(client);
            await PullAsync(client);
            (kept, index) = await TagAsync(client);
            await DeleteAsync(client);
            await ExpectAsync(client, kept, index);
            upload = (await client.PatchChunkAsync(
                await client.StartUploadAsync(Repository), _doomed.Bytes, 0, 1000)).Expect(202).Location;
            Assert.True(await server.StopAsync(), server.Log);
        }

        // What is configured is what was used.
        Assert.Equal(database == "Sqlite", File.Exists(_folder.File("data/registry.db")));
        Assert.Equal(store == "FileSystem", Directory.Exists(Path.Combine(_folder.Path, "data", "blobs")));

        await using var again = await StartAsync(settings);
        using var later = new RegistryClient(again.Address);
        await ExpectAsync(later, kept, index);
        await PullAsync(later);
        (await later.GetAsync(upload)).Expect(204).ExpectHeader("Range", "0-999");
        (await later.CloseAsync(upload, _doomed.Digest, _doomed.Bytes[1000..])).Expect(201);
        Assert.Equal(_doomed.Bytes, (await later.GetAsync(Blob(_doomed))).Expect(200).Body);
    }

    private static async Task<Dictionary<string, string>> ConfigureAsync(string store, string database)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (store == "S3")
        {
            foreach (var (key, value) in SharedS3.StoreSettings())
                settings[$"Registry:{key}"] = value!;
        }

        if (database == "PostgreSql")
        {
            settings["Registry:Database:Kind"] = database;
            settings["Registry:Database:ConnectionString"]
                = await SharedPostgreSql.UseSchemaAsync($"smoke_{Guid.NewGuid():N}");
        }

        return settings;
    }

    private Task<RegistryProcess> StartAsync(Dictionary<string, string> settings)
        => RegistryProcess.StartAsync(Path.Combine(_folder.Path, "data"), settings: settings);

    private async Task UploadAsync(RegistryClient client)
    {
        // POST, PATCH, PUT: as docker does
        var location = await client.StartUploadAsync(Repository);
        (await client.PatchAsync(location, _small.Bytes)).Expect(202).ExpectHeader("Range", "0-1999");
        (await client.CloseAsync(location, _small.Digest)).Expect(201);

        // chunks, one of them twice, and the last one with the end
        location = await client.StartUploadAsync(Repository);
        (await client.PatchChunkAsync(location, _large.Bytes, 0, 6 * Mebi)).Expect(202);
        (await client.PatchChunkAsync(location, _large.Bytes, 0, 6 * Mebi)).Expect(416);
        (await client.PatchChunkAsync(location, _large.Bytes, 6 * Mebi, Mebi)).Expect(202);
        (await client.GetAsync(location)).Expect(204).ExpectHeader("Range", $"0-{(7 * Mebi) - 1}");
        (await client.CloseAsync(location, _small.Digest, _large.Bytes[(7 * Mebi)..])).Expect(400);
        (await client.CloseAsync(location, _large.Digest, _large.Bytes[(7 * Mebi)..])).Expect(201);
        (await client.GetAsync(location)).Expect(404);

        // in one request
        var path = $"/v2/{Repository}/blobs/uploads/?digest=";
        (await client.PostAsync(path + _whole.Digest, _whole.Bytes, ("Content-Type", Octets))).Expect(201);
        (await client.PostAsync(path + _small.Digest, _whole.Bytes, ("Content-Type", Octets))).Expect(400);
        await client.PushBlobAsync(Repository, TestContent.Empty);

        // begun and given up
        location = await client.StartUploadAsync(Repository);
        (await client.PatchAsync(location, _small.Bytes)).Expect(202);
        (await client.DeleteAsync(location)).Expect(204);
        (await client.PatchAsync(location, _small.Bytes)).Expect(404);

        (await client.PostAsync($"/v2/smoke/other/blobs/uploads/?mount={_large.Digest}&from={Repository}")).Expect(201);
    }

    private async Task PullAsync(RegistryClient client)
    {
        foreach (var blob in new[] { _small, _large, _whole, TestContent.Empty })
        {
            (await client.HeadAsync(Blob(blob))).Expect(200).ExpectHeader("Content-Length", $"{blob.Bytes.Length}");
            Assert.Equal(blob.Bytes, (await client.GetAsync(Blob(blob))).Expect(200).Body);
        }

        var part = (await client.GetAsync(Blob(_large), ("Range", $"bytes={9 * Mebi}-{12 * Mebi}"))).Expect(206);
        Assert.Equal(_large.Bytes[(9 * Mebi)..((12 * Mebi) + 1)], part.Body);
        var end = (await client.GetAsync(Blob(_large), ("Range", "bytes=-5"))).Expect(206);
        Assert.Equal(_large.Bytes[^5..], end.Body);
        (await client.GetAsync(Blob(_large), ("Range", $"bytes={_large.Bytes.Length}-"))).Expect(416);
        Assert.Equal(_large.Bytes, (await client.GetAsync($"/v2/smoke/other/blobs/{_large.Digest}")).Expect(200).Body);
    }

    /// <summary>An image under two tags, an index over it, something that refers to it, and one that is to go.</summary>
    private async Task<(TestContent Image, TestContent Index)> TagAsync(RegistryClient client)
    {
        var image = (await client.NewImageAsync(Repository)).Build();
        await client.PushManifestAsync(Repository, "v1", image);
        await client.PushManifestAsync(Repository, "latest", image);
        var index = await client.PushManifestAsync(Repository, "all", ManifestBuilder.Index(image).Build());
        var signature = (await client.NewArtifactAsync(Repository, "application/vnd.example.signature")).Subject(image);
        await client.PushManifestAsync(Repository, signature.Build().Digest, signature.Build());
        await client.PushImageAsync(Repository, "doomed");
        await client.PushBlobAsync(Repository, _doomed);
        await client.PushManifestAsync("smoke/other", "v1", ManifestBuilder.Index().Build());
        return (image, index);
    }

    private async Task DeleteAsync(RegistryClient client)
    {
        var doomed = (await client.HeadAsync($"/v2/{Repository}/manifests/doomed")).Expect(200);
        var digest = doomed.Header("Docker-Content-Digest");
        (await client.DeleteAsync($"/v2/{Repository}/manifests/{digest}")).Expect(202);
        (await client.DeleteAsync($"/v2/{Repository}/manifests/latest")).Expect(202);
        (await client.DeleteAsync(Blob(_doomed))).Expect(202);
    }

    private async Task ExpectAsync(RegistryClient client, TestContent image, TestContent index)
    {
        foreach (var reference in new[] { "v1", image.Digest })
            Assert.Equal(image.Bytes, (await client.GetAsync($"/v2/{Repository}/manifests/{reference}")).Expect(200).Body);
        Assert.Equal(index.Bytes, (await client.GetAsync($"/v2/{Repository}/manifests/all")).Expect(200).Body);
        foreach (var gone in new[] { "latest", "doomed" })
            (await client.GetAsync($"/v2/{Repository}/manifests/{gone}")).Expect(404);
        (await client.GetAsync(Blob(_doomed))).Expect(404);
        Assert.Equal(["all", "v1"], await ListAsync($"/v2/{Repository}/tags/list", "tags"));
        Assert.Equal([Repository, "smoke/other"], await ListAsync("/v2/_catalog", "repositories"));
        var referrers = (await client.GetAsync($"/v2/{Repository}/referrers/{image.Digest}")).Expect(200).Json;
        Assert.Equal(1, referrers.GetProperty("manifests").GetArrayLength());

        async Task<string[]> ListAsync(string path, string member)
            => (await client.GetAsync(path)).Expect(200).Json.GetProperty(member).Deserialize<string[]>()!;
    }

    private static string Blob(TestContent blob) => $"/v2/{Repository}/blobs/{blob.Digest}";

    /// <summary>One pair; skipped by name where its servers are not installed, except in CI, where it fails.</summary>
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    private sealed class BackendsAttribute : DataAttribute
    {
        public BackendsAttribute(string store, string database)
        {
            (Store, Database) = (store, database);
            Skip = (store == "S3" ? S3Server.ReasonToSkip : null)
                ?? (database == "PostgreSql" ? PostgreSqlProcess.ReasonToSkip : null);
        }

        public string Store { get; }

        public string Database { get; }

        public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[Store, Database]];
    }
}
