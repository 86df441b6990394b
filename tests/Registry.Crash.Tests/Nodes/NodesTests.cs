using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Nodes;

/// <summary>Three nodes behind a round-robin, all of them writing and reading the same two tags.</summary>
[Collection(nameof(Cluster))]
public sealed class NodesTests(Cluster cluster, ITestOutputHelper output) : IAsyncLifetime
{
    private const string Index = "application/vnd.oci.image.index.v1+json";

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(Programs.FullSizes ? 20 : 4);

    private readonly string _repository = $"team/{Guid.NewGuid():N}";
    private readonly RoundRobin _way = new(cluster.Addresses);
    private readonly HttpClient _direct = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentDictionary<string, bool> _accepted = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TagHistory> _tags = new(StringComparer.Ordinal);
    private HttpClient _http = null!;
    private int _serial;

    public Task InitializeAsync()
    {
        _http = new(_way) { BaseAddress = RoundRobin.Address, Timeout = TimeSpan.FromSeconds(60) };
        return cluster.ReviveAsync();
    }

    public Task DisposeAsync()
    {
        _http.Dispose();
        _direct.Dispose();
        return Task.CompletedTask;
    }

    [ClusterFact]
    public async Task Every_node_answers_at_once_what_another_one_has_confirmed_and_goes_on_when_one_is_killed()
    {
        using var end = new CancellationTokenSource();
        var load = LoadAsync(end.Token);
        await Task.Delay(Length);
        await cluster.KillAsync(0);
        await Task.Delay(Length / 2);
        await cluster.ReviveAsync();
        await Task.Delay(Length / 2);
        await end.CancelAsync();
        await load;

        Assert.Empty(_wrong);
        Assert.All(_way.Served, served => Assert.True(served > 20, "A node had hardly anything to do."));
        await VerifyAsync();
    }

    [ClusterFact]
    public async Task A_restart_of_the_database_in_mid_load_costs_503s_and_nothing_that_was_confirmed()
    {
        using var end = new CancellationTokenSource();
        var load = LoadAsync(end.Token);
        await Task.Delay(Length / 2);
        await cluster.Database.StopAsync();
        await UntilAsync(async node => await StatusAsync(node, "/healthz/ready") == HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(cluster.Addresses[0], "/healthz/live"));
        await Task.Delay(TimeSpan.FromSeconds(2));
        await cluster.Database.StartAsync();
        await UntilAsync(async node => await StatusAsync(node, "/healthz/ready") == HttpStatusCode.OK);
        await Task.Delay(Length / 2);
        await cluster.Database.KillAsync(); // and once more, without a warning to anybody
        await cluster.Database.StartAsync();
        await UntilAsync(async node => await StatusAsync(node, "/healthz/ready") == HttpStatusCode.OK);
        await Task.Delay(Length / 2);
        await end.CancelAsync();
        await load;

        Assert.All(_wrong.Distinct(StringComparer.Ordinal), wrong => Assert.Equal("503, Retry-After: 5", wrong));
        Assert.NotEmpty(_wrong);
        await VerifyAsync();
    }

    private async Task LoadAsync(CancellationToken end)
        => await Task.WhenAll(Enumerable.Range(0, 9).Select(number => Task.Run(
            async () =>
            {
                var random = new Random(number);
                while (!end.IsCancellationRequested)
                {
                    var tag = random.Next(3) == 0 ? "stable" : "latest";
                    if (number < 3)
                        await PushAsync(tag);
                    else
                        await Tag(tag).ReadAsync(() => PullAsync(_http, Path(tag)));
                }
            },
            CancellationToken.None)));

    private TagHistory Tag(string name) => _tags.GetOrAdd(name, _ => new());

    private async Task PushAsync(string tag)
    {
        var number = Interlocked.Increment(ref _serial);
        var text = $$$"""{"schemaVersion":2,"mediaType":"{{{Index}}}","manifests":[],"annotations":{"n":"{{{number}}}"}}""";
        var digest = ImageLayout.DigestOf(Encoding.UTF8.GetBytes(text));
        await Tag(tag).WriteAsync(digest, async () =>
        {
            using var body = new StringContent(text, Encoding.UTF8, MediaTypeHeaderValue.Parse(Index));
            using var answer = await TryAsync(() => _http.PutAsync(Path(tag), body));
            if (answer?.StatusCode != HttpStatusCode.Created)
                return false;
            _accepted[digest] = true;
            return true;
        });
    }

    /// <summary>The digest behind the tag; null when there is none, or no answer.</summary>
    private async Task<string?> PullAsync(HttpClient http, Uri address)
    {
        using var answer = await TryAsync(() => http.GetAsync(address));
        return answer?.StatusCode == HttpStatusCode.OK
            ? ImageLayout.DigestOf(await answer.Content.ReadAsByteArrayAsync())
            : null;
    }

    // What a killed node leaves unanswered says nothing; any answer that is no success is written down.
    private async Task<HttpResponseMessage?> TryAsync(Func<Task<HttpResponseMessage>> send)
    {
        try
        {
            var answer = await send();
            if (!answer.IsSuccessStatusCode && answer.StatusCode != HttpStatusCode.NotFound)
                _wrong.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{(int)answer.StatusCode}, Retry-After: {answer.Headers.RetryAfter}"));
            return answer;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return null;
        }
    }

    private async Task VerifyAsync()
    {
        foreach (var (name, history) in _tags)
        {
            Assert.Null(history.FindViolation());
            var ends = await Task.WhenAll(
                cluster.Addresses.Select(node => PullAsync(_direct, new Uri(node, Path(name)))));
            Assert.Single(ends.Distinct(StringComparer.Ordinal));
            await history.ReadAsync(() => Task.FromResult(ends[0]));
            Assert.Null(history.FindViolation()); // the last value is one that no later write replaced
            output.WriteLine($"measured: tag {name}: {history.Written.Count} confirmed moves, {history.Reads} reads by 3 nodes, {_wrong.Count} refused");
            Assert.True(history.Written.Count > 20 && history.Reads > 20, "Hardly anything happened.");
        }

        await Parallel.ForEachAsync(
            _accepted.Keys,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (digest, _) => Assert.Equal(digest, await PullAsync(_http, Path(digest))));
    }

    private async Task UntilAsync(Func<Uri, Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        foreach (var node in cluster.Living)
        {
            while (!await condition(node.Address))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), node.Log);
                await Task.Delay(50);
            }
        }
    }

    private async Task<HttpStatusCode> StatusAsync(Uri node, string path)
    {
        using var answer = await _direct.GetAsync(new Uri(node, path));
        return answer.StatusCode;
    }

    private Uri Path(string reference) => new($"/v2/{_repository}/manifests/{reference}", UriKind.Relative);
}
