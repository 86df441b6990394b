using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Nodes;

/// <summary>
/// Three server processes on one PostgreSQL server. Their stores are folders of their own, so what is pushed here is
/// what needs no blob.
/// </summary>
public sealed class NodesTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Index = "application/vnd.oci.image.index.v1+json";
    private const string Repository = "team/app";

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(Programs.FullSizes ? 60 : 4);

    private readonly WorkFolder _data = new("nodes");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentDictionary<string, bool> _accepted = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TagHistory> _tags = new(StringComparer.Ordinal);
    private readonly RegistryProcess?[] _nodes = new RegistryProcess?[3];
    private PostgreSqlProcess? _database;
    private int _serial;

    public async Task InitializeAsync()
    {
        if (PostgreSqlProcess.ReasonToSkip is not null)
            return;
        _database = await PostgreSqlProcess.StartAsync("max_connections=80");
        // All at once, on an empty database.
        await Task.WhenAll(Enumerable.Range(0, _nodes.Length).Select(async node => _nodes[node] = await StartAsync(node)));
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes.OfType<RegistryProcess>())
            await node.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
        _http.Dispose();
        _data.Dispose();
    }

    [PostgreSqlFact]
    public async Task Every_node_answers_at_once_what_another_one_has_confirmed_and_goes_on_when_one_is_killed()
    {
        using var end = new CancellationTokenSource();
        var load = LoadAsync(end.Token);
        await Task.Delay(Length);
        _nodes[0]!.KillAbruptly();
        await _nodes[0]!.DisposeAsync();
        _nodes[0] = null;
        await Task.Delay(Length / 2);
        _nodes[0] = await StartAsync(0);
        await Task.Delay(Length / 2);
        await end.CancelAsync();
        await load;

        Assert.Empty(_wrong);
        await VerifyAsync();
    }

    [PostgreSqlFact]
    public async Task A_restart_of_the_database_in_mid_load_costs_503s_and_nothing_that_was_confirmed()
    {
        using var end = new CancellationTokenSource();
        var load = LoadAsync(end.Token);
        await Task.Delay(Length / 2);
        await _database!.StopAsync();
        await UntilAsync(async node => await StatusAsync(node, "/healthz/ready") == HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_nodes[0]!, "/healthz/live"));
        await Task.Delay(TimeSpan.FromSeconds(2));
        await _database.StartAsync();
        await UntilAsync(async node => await StatusAsync(node, "/healthz/ready") == HttpStatusCode.OK);
        await Task.Delay(Length / 2);
        await _database.KillAsync(); // and once more, without a warning to anybody
        await _database.StartAsync();
        await UntilAsync(async node => await StatusAsync(node, "/healthz/ready") == HttpStatusCode.OK);
        await Task.Delay(Length / 2);
        await end.CancelAsync();
        await load;

        Assert.All(_wrong.Distinct(StringComparer.Ordinal), wrong => Assert.Equal("503, Retry-After: 5", wrong));
        Assert.NotEmpty(_wrong);
        await VerifyAsync();
    }

    private async Task LoadAsync(CancellationToken end)
        => await Task.WhenAll(Enumerable.Range(0, _nodes.Length * 3).Select(number => Task.Run(
            async () =>
            {
                var random = new Random(number);
                while (!end.IsCancellationRequested)
                {
                    var tag = random.Next(3) == 0 ? "stable" : "latest";
                    if (_nodes[number % _nodes.Length] is not { } node)
                        await Task.Delay(20, CancellationToken.None);
                    else if (number < _nodes.Length)
                        await PushAsync(node, tag);
                    else
                        await Tag(tag).ReadAsync(() => PullAsync(node, tag));
                }
            },
            CancellationToken.None)));

    private TagHistory Tag(string name) => _tags.GetOrAdd(name, _ => new());

    private async Task PushAsync(RegistryProcess node, string tag)
    {
        var number = Interlocked.Increment(ref _serial);
        var text = $$$"""{"schemaVersion":2,"mediaType":"{{{Index}}}","manifests":[],"annotations":{"n":"{{{number}}}"}}""";
        var digest = ImageLayout.DigestOf(Encoding.UTF8.GetBytes(text));
        await Tag(tag).WriteAsync(digest, async () =>
        {
            using var body = new StringContent(text, Encoding.UTF8, MediaTypeHeaderValue.Parse(Index));
            using var answer = await TryAsync(() => _http.PutAsync(Address(node, tag), body));
            if (answer?.StatusCode != HttpStatusCode.Created)
                return false;
            _accepted[digest] = true;
            return true;
        });
    }

    /// <summary>The digest behind the tag; null when there is none, or no answer.</summary>
    private async Task<string?> PullAsync(RegistryProcess node, string reference)
    {
        using var answer = await TryAsync(() => _http.GetAsync(Address(node, reference)));
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
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private async Task VerifyAsync()
    {
        foreach (var (name, history) in _tags)
        {
            Assert.Null(history.FindViolation());
            var ends = await Task.WhenAll(_nodes.Select(node => PullAsync(node!, name)));
            Assert.Single(ends.Distinct(StringComparer.Ordinal));
            await history.ReadAsync(() => Task.FromResult(ends[0]));
            Assert.Null(history.FindViolation()); // the last value is one that no later write replaced
            output.WriteLine($"measured: tag {name}: {history.Written.Count} confirmed moves, {history.Reads} reads by 3 nodes, {_wrong.Count} refused");
            Assert.True(history.Written.Count > 20 && history.Reads > 20, "Hardly anything happened.");
        }

        foreach (var (digest, number) in _accepted.Keys.Select((digest, number) => (digest, number)))
            Assert.Equal(digest, await PullAsync(_nodes[number % _nodes.Length]!, digest));
    }

    private Task<RegistryProcess> StartAsync(int node)
        => RegistryProcess.StartAsync(
            _data.File($"node{node}/data"),
            listen: LoopbackPort.OwnAddress(),
            settings: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Registry:Database:Kind"] = "PostgreSql",
                ["Registry:Database:ConnectionString"] = _database!.ConnectionString(),
                [$"Registry:Stores:node{node}:Root"] = _data.File($"node{node}/blobs"),
                ["Registry:Registries:default:Store"] = $"node{node}",
            });

    private async Task UntilAsync(Func<RegistryProcess, Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        foreach (var node in _nodes.OfType<RegistryProcess>())
        {
            while (!await condition(node))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), node.Log);
                await Task.Delay(50);
            }
        }
    }

    private async Task<HttpStatusCode> StatusAsync(RegistryProcess node, string path)
    {
        using var answer = await _http.GetAsync(new Uri(node.Address, path));
        return answer.StatusCode;
    }

    private static Uri Address(RegistryProcess node, string reference)
        => new(node.Address, $"/v2/{Repository}/manifests/{reference}");
}

/// <summary>Skipped by name where no PostgreSQL server is installed, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgreSqlFactAttribute : FactAttribute
{
    public PostgreSqlFactAttribute() => Skip = PostgreSqlProcess.ReasonToSkip;
}
