using Microsoft.Extensions.DependencyInjection;

namespace Registry.Web.Tests.Proxies;

/// <summary>What an upstream has said counts for a while: that it has something, also for the next process.</summary>
public sealed class RememberedAnswersTests : IAsyncLifetime
{
    private const string Name = "team/app";

    private readonly LaterTime _time = new();
    private readonly TemporaryFolder _data = new();
    private ScriptedUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await ScriptedUpstream.StartAsync();

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _data.Dispose();
    }

    [Theory(DisplayName = "What the upstream does not have it is not asked for again until NegativeTtl is over")]
    [InlineData("tag")]
    [InlineData("digest")]
    [InlineData("blob")]
    public async Task Absent(string what)
    {
        await using var proxy = await StartAsync(("Registries:hub:NegativeTtl", "00:01:00"));
        var (manifest, blob) = (ManifestBuilder.Index().Annotation("of", "later").Build(), TestContent.Random(100));
        var path = what switch
        {
            "tag" => "manifests/v1",
            "digest" => $"manifests/{manifest.Digest}",
            _ => $"blobs/{blob.Digest}",
        };

        (await GetAsync(proxy, path)).Expect(404);
        var asked = _upstream.Requests.Count;
        Assert.NotEqual(0, asked);
        _upstream.ServeManifest(Name, manifest, "v1");
        _upstream.ServeBlob(Name, blob);
        (await GetAsync(proxy, path)).Expect(404);
        Assert.Equal(asked, _upstream.Requests.Count);

        _time.Offset = TimeSpan.FromMinutes(2);
        Assert.Equal(what == "blob" ? blob.Bytes : manifest.Bytes, (await GetAsync(proxy, path)).Expect(200).Body);
    }

    [Fact(DisplayName = "When the upstream was asked for a tag is in the database: a restart asks no earlier, and then by HEAD")]
    public async Task Restarted()
    {
        (string, string?)[] patient = [("Data", _data.Path), ("Registries:hub:TagTtl", "01:00:00")];
        var image = _upstream.ServeImage(Name, "v1");
        await using (var proxy = await StartAsync(patient))
            Assert.Equal(image.Manifest.Bytes, (await GetAsync(proxy, "manifests/v1")).Expect(200).Body);
        var asked = _upstream.Requests.Count;

        await using (var proxy = await StartAsync(patient))
            Assert.Equal(image.Manifest.Bytes, (await GetAsync(proxy, "manifests/v1")).Expect(200).Body);
        Assert.Equal(asked, _upstream.Requests.Count);

        await using (var proxy = await StartAsync(("Data", _data.Path), ("Registries:hub:TagTtl", "00:00:00")))
            Assert.Equal(image.Manifest.Bytes, (await GetAsync(proxy, "manifests/v1")).Expect(200).Body);
        Assert.Equal("HEAD", Assert.Single(_upstream.Requests.Skip(asked)).Method);
    }

    private static Task<Answer> GetAsync(RegistryFactory proxy, string path) => proxy.Client.GetAsync($"/v2/hub/{Name}/{path}");

    private Task<RegistryFactory> StartAsync(params (string, string?)[] settings)
        => RegistryFactory.StartAsync(
            services => services.AddSingleton<TimeProvider>(_time),
            [
                ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
                .. settings,
            ]);

    /// <summary>The system's, of which some has passed at once.</summary>
    private sealed class LaterTime : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Offset.TotalSeconds * TimestampFrequency);
    }
}
