using System.Net;
using System.Security.Cryptography;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>Large and slow pushes go through the proxies that deploy/ configures.</summary>
[Collection(nameof(RunningRegistry))]
public sealed class ProxyTests(LargeImage image, DockerDaemon docker)
    : IClassFixture<LargeImage>, IClassFixture<DockerDaemon>, IAsyncLifetime
{
    private const int Mebi = 1024 * 1024;

    // Above the minute that nginx waits for more of a body when nobody tells it otherwise.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(Programs.FullSizes ? 75 : 2);

    private readonly ClientWorkspace _work = new();
    private readonly WorkFolder _data = new("behind");
    private RegistryProcess? _registry;

    private RegistryProcess Registry => _registry!;

    public async Task InitializeAsync()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry:Access:Anonymous"] = "Push",
        };
        _registry = await RegistryProcess.StartAsync(_data.Path, settings: settings);
    }

    public async Task DisposeAsync()
    {
        await Registry.DisposeAsync();
        _data.Dispose();
        _work.Dispose();
    }

    [ClientFact("nginx", "skopeo")]
    public async Task Skopeo_copies_a_large_image_through_nginx_and_back()
    {
        await using var proxy = await Proxy.NginxAsync(Registry);
        await CopyThereAndBackAsync(proxy);
    }

    [ClientFact("caddy", "skopeo")]
    public async Task Skopeo_copies_a_large_image_through_caddy_and_back()
    {
        await using var proxy = await Proxy.CaddyAsync(Registry);
        await CopyThereAndBackAsync(proxy);
    }

    [ClientFact("nginx", "docker", "dockerd")]
    public async Task Docker_pushes_a_large_image_through_nginx_and_pulls_it()
    {
        await using var proxy = await Proxy.NginxAsync(Registry);
        await PushAndPullAsync(proxy);
    }

    [ClientFact("caddy", "docker", "dockerd")]
    public async Task Docker_pushes_a_large_image_through_caddy_and_pulls_it()
    {
        await using var proxy = await Proxy.CaddyAsync(Registry);
        await PushAndPullAsync(proxy);
    }

    [ClientFact("nginx")]
    public async Task A_slow_chunked_push_reaches_the_registry_through_nginx_while_it_is_sent()
    {
        await using var proxy = await Proxy.NginxAsync(Registry);
        await PushSlowlyAsync(proxy);
    }

    [ClientFact("caddy")]
    public async Task A_slow_chunked_push_reaches_the_registry_through_caddy_while_it_is_sent()
    {
        await using var proxy = await Proxy.CaddyAsync(Registry);
        await PushSlowlyAsync(proxy);
    }

    [ClientFact("nginx", "skopeo")]
    public async Task The_load_balancer_of_compose_passes_over_a_node_that_is_down()
    {
        await using var proxy = await Proxy.NginxOfComposeAsync($"127.0.0.1:{LoopbackPort.Free()}", Registry.Host);
        await PushSlowlyAsync(proxy);
        await CopyThereAndBackAsync(proxy);
    }

    [ClientFact("nginx")]
    public Task Nobody_reads_metrics_or_counts_as_local_through_nginx() => AskAsAStrangerAsync(Proxy.NginxAsync);

    [ClientFact("caddy")]
    public Task Nobody_reads_metrics_or_counts_as_local_through_caddy() => AskAsAStrangerAsync(Proxy.CaddyAsync);

    private async Task CopyThereAndBackAsync(Proxy proxy)
    {
        var name = $"docker://{proxy.Host}/large/skopeo:one";
        await _work.RunAsync("skopeo", "copy", "--dest-tls-verify=false", $"oci:{image.Layout}:one", name);
        await _work.RunAsync("skopeo", "copy", "--src-tls-verify=false", name, $"oci:{_work.Path("back")}:one");

        // skopeo has compared each digest with the bytes that came.
        Assert.Equal(LargeImage.BlobNames(image.Layout), LargeImage.BlobNames(_work.Path("back")));
    }

    private async Task PushAndPullAsync(Proxy proxy)
    {
        var name = $"{proxy.Host}/large/docker:one";
        var id = await docker.ImportAsync(name, LargeImage.LayerBytes);
        await docker.DockerAsync("push", name);
        await docker.DockerAsync("rmi", "--force", name);
        await docker.DockerAsync("pull", name);
        Assert.Equal(id, (await docker.DockerAsync("image", "inspect", "--format", "{{.Id}}", name)).Trim());
        await docker.DockerAsync("rmi", "--force", name);
    }

    private async Task PushSlowlyAsync(Proxy proxy)
    {
        var blob = RandomNumberGenerator.GetBytes(4 * Mebi);
        var digest = ImageLayout.DigestOf(blob);
        using var http = proxy.NewClient();
        http.Timeout = TimeSpan.FromMinutes(5);
        using var opened = await http.PostAsync(new Uri(proxy.Address, "/v2/large/slow/blobs/uploads/"), content: null);
        Assert.Equal(HttpStatusCode.Accepted, opened.StatusCode);

        using var patch = new HttpRequestMessage(HttpMethod.Patch, new Uri(proxy.Address, opened.Headers.Location!))
        {
            Content = new ChunkedContent(async body =>
            {
                await body.WriteAsync(blob.AsMemory(0, Mebi));
                await body.FlushAsync();
                // A proxy that collects bodies would have handed on nothing yet.
                await WaitForStagedAsync(Mebi);
                await Task.Delay(Pause);
                await body.WriteAsync(blob.AsMemory(Mebi));
            }),
        };
        using var patched = await http.SendAsync(patch);
        Assert.True(patched.StatusCode == HttpStatusCode.Accepted, $"{patched.StatusCode}\n{proxy.Log}");
        using var closed = await http.PutAsync(
            new Uri(proxy.Address, $"{patched.Headers.Location}?digest={digest}"), content: null);
        Assert.Equal(HttpStatusCode.Created, closed.StatusCode);

        var back = await http.GetByteArrayAsync(new Uri(proxy.Address, closed.Headers.Location!));
        Assert.Equal(digest, ImageLayout.DigestOf(back));
    }

    private async Task WaitForStagedAsync(long bytes)
    {
        var staging = Path.Combine(_data.Path, "blobs/_uploads");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (Directory.GetFiles(staging).Sum(file => new FileInfo(file).Length) < bytes)
            await Task.Delay(20, deadline.Token);
    }

    private async Task AskAsAStrangerAsync(Func<RegistryProcess, Task<Proxy>> startProxy)
    {
        // One that has not been told what everybody may do.
        await using var registry = await RegistryProcess.StartAsync(_work.Folder("undecided"));
        await using var proxy = await startProxy(registry);
        using var http = proxy.NewClient();
        using var metrics = await http.GetAsync(new Uri(proxy.Address, "/metrics"));
        using var asked = await http.GetAsync(new Uri(proxy.Address, "/v2/"));
        Assert.Equal(
            (HttpStatusCode.NotFound, HttpStatusCode.Unauthorized), (metrics.StatusCode, asked.StatusCode));
    }

    private sealed class ChunkedContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
