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
    public Task Nobody_reads_metrics_or_counts_as_local_through_nginx() => AskAsLocalAsync(Proxy.NginxAsync);

    [ClientFact("caddy")]
    public Task Nobody_reads_metrics_or_counts_as_local_through_caddy() => AskAsLocalAsync(Proxy.CaddyAsync);

    [ClientFact("nginx")]
    public async Task Nginx_lets_nobody_through_without_a_password_or_without_its_file_of_users()
    {
        await using var proxy = await Proxy.NginxAsync(Registry);
        await AskAsAStrangerAsync(proxy);
        File.Delete(proxy.Users);
        using var http = proxy.NewClient();
        using var asked = await http.GetAsync(new Uri(proxy.Address, "/v2/"));
        Assert.Equal(HttpStatusCode.Forbidden, asked.StatusCode);
    }

    [ClientFact("caddy")]
    public async Task Caddy_lets_nobody_through_without_a_password_and_does_not_start_without_its_file_of_users()
    {
        await using (var proxy = await Proxy.CaddyAsync(Registry))
            await AskAsAStrangerAsync(proxy);

        new ShippedFile("deploy/Caddyfile")
            .With("/etc/caddy/registry.users", _work.Path("registry.users"))
            .SaveAs(_work.Path("Caddyfile"));
        var refused = await _work.TryRunAsync("caddy", "adapt", "--config", _work.Path("Caddyfile"));
        Assert.False(refused.Succeeded);
        Assert.Contains("registry.users", refused.Error, StringComparison.Ordinal);
        _work.Write("registry.users", "alice $2a$04$hash\n");
        await _work.RunAsync("caddy", "adapt", "--config", _work.Path("Caddyfile"));
    }

    [ClientFact("nginx")]
    public Task Nginx_sends_the_requests_of_an_upload_to_one_node() => AskTwoNodesAsync(Proxy.NginxAsync);

    [ClientFact("caddy")]
    public Task Caddy_sends_the_requests_of_an_upload_to_one_node() => AskTwoNodesAsync(Proxy.CaddyAsync);

    [ClientFact("nginx")]
    public Task The_load_balancer_of_compose_sends_the_requests_of_an_upload_to_one_node()
        => AskTwoNodesAsync(nodes => Proxy.NginxOfComposeAsync(nodes[0].Host, nodes[1].Host));

    private async Task CopyThereAndBackAsync(Proxy proxy)
    {
        var name = $"docker://{proxy.Host}/large/skopeo:one";
        await _work.RunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", Credentials("dest"), $"oci:{image.Layout}:one", name);
        await _work.RunAsync(
            "skopeo", "copy", "--src-tls-verify=false", Credentials("src"), name, $"oci:{_work.Path("back")}:one");

        // skopeo has compared each digest with the bytes that came.
        Assert.Equal(LargeImage.BlobNames(image.Layout), LargeImage.BlobNames(_work.Path("back")));

        string Credentials(string side)
            => proxy.Credentials is { } known ? $"--{side}-creds={known}" : $"--{side}-no-creds";
    }

    private async Task PushAndPullAsync(Proxy proxy)
    {
        var name = $"{proxy.Host}/large/docker:one";
        var password = proxy.Credentials!.Split(':')[1];
        await docker.DockerAsync("login", "--username", Proxy.User, "--password", password, proxy.Host);
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

    private async Task AskAsLocalAsync(Func<RegistryProcess[], Task<Proxy>> startProxy)
    {
        // One that has not been told what everybody may do.
        await using var registry = await RegistryProcess.StartAsync(_work.Folder("undecided"));
        await using var proxy = await startProxy([registry]);
        using var http = proxy.NewClient();
        using var metrics = await http.GetAsync(new Uri(proxy.Address, "/metrics"));
        using var asked = await http.GetAsync(new Uri(proxy.Address, "/v2/"));
        Assert.Equal(
            (HttpStatusCode.NotFound, HttpStatusCode.Unauthorized), (metrics.StatusCode, asked.StatusCode));
        Assert.Contains("UNAUTHORIZED", await asked.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task AskAsAStrangerAsync(Proxy proxy)
    {
        using var http = proxy.NewStranger();
        foreach (var path in (string[])["/v2/", "/v2/_catalog", "/api/v1/repositories", "/healthz/ready"])
        {
            using var asked = await http.GetAsync(new Uri(proxy.Address, path));
            Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        }

        using var client = proxy.NewClient();
        using var known = await client.GetAsync(new Uri(proxy.Address, "/v2/"));
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
    }

    // Of two nodes one refuses everything: the status tells which of them has answered.
    private async Task AskTwoNodesAsync(Func<RegistryProcess[], Task<Proxy>> startProxy)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry:Access:Anonymous"] = "None",
        };
        await using var closed = await RegistryProcess.StartAsync(_work.Folder("closed"), settings: settings);
        await using var proxy = await startProxy([Registry, closed]);
        using var http = proxy.NewClient();

        var uploads = new List<HttpStatusCode>();
        for (var i = 0; i < 20; i++)
        {
            var upload = $"/v2/some/where/blobs/uploads/{Guid.NewGuid()}";
            var node = await AskAsync(HttpMethod.Patch, upload);
            Assert.Equal(node, await AskAsync(HttpMethod.Get, upload));
            Assert.Equal(node, await AskAsync(HttpMethod.Put, $"{upload}?digest={ImageLayout.DigestOf([])}"));
            uploads.Add(node);
        }

        var reads = new List<HttpStatusCode>();
        for (var i = 0; i < 20; i++)
            reads.Add(await AskAsync(HttpMethod.Get, "/v2/some/where/manifests/latest"));
        HttpStatusCode[] both = [HttpStatusCode.Unauthorized, HttpStatusCode.NotFound];
        Assert.Equal(both, uploads.Distinct().Order());
        Assert.Equal(both, reads.Distinct().Order());

        async Task<HttpStatusCode> AskAsync(HttpMethod method, string path)
        {
            using var request = new HttpRequestMessage(method, new Uri(proxy.Address, path));
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
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
