using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Registry.Web.Tests.Proxies;

/// <summary>R-23 Many clients, one read of the upstream: they read along while the blob arrives.</summary>
public sealed class SharedDownloadTests : IAsyncLifetime
{
    private const string Name = "team/app";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestContent _blob = TestContent.Random(6_000_000);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ScriptedUpstream _upstream = null!;
    private RegistryFactory _proxy = null!;

    public async Task InitializeAsync()
    {
        _upstream = await ScriptedUpstream.StartAsync();
        _upstream.Route(ScriptedUpstream.BlobPath(Name, _blob), HalfThenTheRest);
        _proxy = await RegistryFactory.StartAsync(
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url));
    }

    public async Task DisposeAsync()
    {
        _goOn.TrySetResult();
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact(DisplayName = "A hundred first pulls are one request to the upstream, whether they begin at once or in mid-stream")]
    public async Task One_request()
    {
        var early = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => OpenAsync()));
        foreach (var reader in early)
            await reader.ReadAsync(1_000_000); // while the upstream is silent
        var late = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => OpenAsync()));
        foreach (var reader in late)
            await reader.ReadAsync(2_000_000);

        _goOn.SetResult();
        foreach (var reader in early.Concat(late))
        {
            await reader.ReadAsync(_blob.Bytes.Length);
            Assert.Equal(_blob.Bytes, reader.Bytes);
            reader.Dispose();
        }

        await ExpectKeptAsync();
        Assert.Single(Gets);
    }

    [Fact(DisplayName = "A part that has arrived is answered at once, one that has not when it is there")]
    public async Task Ranges()
    {
        using var first = await OpenAsync();
        Assert.Equal(
            _blob.Bytes[1000..2000], (await _proxy.Client.GetAsync(BlobPath, ("Range", "bytes=1000-1999"))).Expect(206)
                .ExpectHeader("Content-Range", $"bytes 1000-1999/{_blob.Bytes.Length}").Body);
        var last = _proxy.Client.GetAsync(BlobPath, ("Range", "bytes=-100"));
        (await _proxy.Client.GetAsync(BlobPath, ("Range", $"bytes={_blob.Bytes.Length}-"))).Expect(416);
        Assert.False(last.IsCompleted);

        _goOn.SetResult();
        Assert.Equal(_blob.Bytes[^100..], (await last).Expect(206).Body);
        Assert.Single(Gets);
    }

    [Fact(DisplayName = "A blob that is arriving is there, and the upstream is not asked for it again")]
    public async Task Head()
    {
        using var reader = await OpenAsync();
        (await _proxy.Client.HeadAsync(BlobPath)).Expect(200).ExpectHeader("Content-Length", $"{_blob.Bytes.Length}");

        _goOn.SetResult();
        await reader.ReadAsync(_blob.Bytes.Length);
        (await _proxy.Client.HeadAsync(BlobPath)).Expect(200);
        Assert.Single(_upstream.Requests);
    }

    [Fact(DisplayName = "A reader that reads nothing holds up nobody")]
    public async Task Stalled_reader()
    {
        using var stalled = new TcpClient { ReceiveBufferSize = 4096 };
        await stalled.ConnectAsync(IPAddress.Loopback, _proxy.Address.Port);
        await stalled.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"GET {BlobPath} HTTP/1.1\r\nHost: {_proxy.Address.Authority}\r\n\r\n"));
        await WaitAsync(() => Task.FromResult(_upstream.Requests.Count == 1));

        using var reader = await OpenAsync();
        _goOn.SetResult();
        await reader.ReadAsync(_blob.Bytes.Length);
        Assert.Equal(_blob.Bytes, reader.Bytes);
        await ExpectKeptAsync();
        Assert.Single(Gets);
    }

    [Fact(DisplayName = "When all clients have gone, the blob is kept all the same")]
    public async Task Clients_gone()
    {
        using (var reader = await OpenAsync())
            await reader.ReadAsync(1000);
        _goOn.SetResult();
        await ExpectKeptAsync();
        Assert.Single(Gets);
    }

    [Fact(DisplayName = "A stop in the middle keeps nothing, and the next start fetches it whole")]
    public async Task Stop()
    {
        using var folder = new TemporaryFolder();
        (string, string?)[] settings =
        [
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Data", folder.Path),
        ];
        await using (var first = await RegistryFactory.StartAsync(settings))
        {
            using var http = new HttpClient();
            using var answer = await http.GetAsync(new Uri(first.Address, BlobPath), HttpCompletionOption.ResponseHeadersRead);
            await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[1000]);
            http.CancelPendingRequests();
        }

        _goOn.SetResult();
        await using var second = await RegistryFactory.StartAsync(settings);
        Assert.Equal(_blob.Bytes, (await second.Client.GetAsync(BlobPath)).Expect(200).Body);
        Assert.Equal(2, Gets.Count());
    }

    [Fact(DisplayName = "Many first pulls of a manifest are one request to the upstream")]
    public async Task Manifests()
    {
        var manifest = ManifestBuilder.Index().Annotation("of", "many").Build();
        _upstream.Route(ScriptedUpstream.ManifestPath(Name, "v1"), async context =>
        {
            await _goOn.Task;
            await ScriptedUpstream.Manifest(manifest)(context);
        });
        var pulls = Enumerable.Range(0, 50).Select(_ => _proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).ToList();
        await WaitAsync(() => Task.FromResult(_upstream.Requests.Count == 1));
        _goOn.SetResult();

        foreach (var pull in pulls)
            Assert.Equal(manifest.Bytes, (await pull).Expect(200).Body);
        Assert.Single(Gets);
    }

    private IEnumerable<ReceivedRequest> Gets => _upstream.Requests.Where(request => request.Method == "GET");

    private string BlobPath => $"/v2/hub/{Name}/blobs/{_blob.Digest}";

    private async Task HalfThenTheRest(HttpContext context)
    {
        context.Response.ContentLength = _blob.Bytes.Length;
        await context.Response.Body.WriteAsync(_blob.Bytes.AsMemory(0, _blob.Bytes.Length / 2));
        await context.Response.Body.FlushAsync();
        await _goOn.Task.WaitAsync(context.RequestAborted);
        await context.Response.Body.WriteAsync(_blob.Bytes.AsMemory(_blob.Bytes.Length / 2));
    }

    private async Task<Reader> OpenAsync()
    {
        var http = new HttpClient { Timeout = Patience };
        var answer = await http.GetAsync(new Uri(_proxy.Address, BlobPath), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(_blob.Bytes.Length, answer.Content.Headers.ContentLength);
        return new(http, answer, await answer.Content.ReadAsStreamAsync());
    }

    private async Task ExpectKeptAsync()
    {
        _upstream.Gate = async context =>
        {
            await ScriptedUpstream.Status(500)(context);
            return true;
        };
        await WaitAsync(async () => (await _proxy.Client.HeadAsync(BlobPath)).Status == 200);
        Assert.Equal(_blob.Bytes, (await _proxy.Client.GetAsync(BlobPath)).Expect(200).Body);
    }

    private static async Task WaitAsync(Func<Task<bool>> holds)
    {
        var until = DateTime.UtcNow + Patience;
        while (!await holds())
        {
            Assert.True(DateTime.UtcNow < until, "It did not come about.");
            await Task.Delay(20);
        }
    }

    private sealed class Reader(HttpClient http, HttpResponseMessage answer, Stream body) : IDisposable
    {
        private readonly MemoryStream _read = new();

        public byte[] Bytes => _read.ToArray();

        /// <summary>Reads until so many bytes have come since the beginning.</summary>
        public async Task ReadAsync(int total)
        {
            using var timeout = new CancellationTokenSource(Patience);
            var buffer = new byte[64 * 1024];
            while (_read.Length < total)
            {
                var count = await body.ReadAsync(
                    buffer.AsMemory(0, (int)Math.Min(buffer.Length, total - _read.Length)), timeout.Token);
                Assert.NotEqual(0, count);
                _read.Write(buffer, 0, count);
            }
        }

        public void Dispose()
        {
            answer.Dispose();
            http.Dispose();
        }
    }
}
