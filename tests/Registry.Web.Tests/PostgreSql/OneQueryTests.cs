using System.Collections.Concurrent;
using System.Diagnostics;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.PostgreSql;

/// <summary>What a request asks of a PostgreSQL server, counted by its provider under the request's own trace.</summary>
public sealed class OneQueryTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> _commands = new();
    private readonly ActivityListener _listener;

    public OneQueryTests()
    {
        // The server's own spans too: without them a command would not know which request it belongs to.
        _listener = new()
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name == "Npgsql")
                    _commands.Enqueue(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [PostgreSqlFact]
    public async Task Every_pull_of_a_manifest_or_blob_is_one_query()
    {
        await using var registry = await RegistryFactory.StartAsync(RegistryFactory.OnPostgreSql());
        var blob = await registry.Client.PushBlobAsync("team/app", TestContent.Random(1000));
        var manifest = ManifestBuilder.Index().Annotation("n", "1").Build();
        await registry.Client.PushManifestAsync("team/app", "v1", manifest);

        (string Method, string Path)[] requests =
        [
            ("GET", "manifests/v1"), ("HEAD", "manifests/v1"), ("GET", $"manifests/{manifest.Digest}"), ("HEAD", $"manifests/{manifest.Digest}"),
            ("GET", $"blobs/{blob.Digest}"), ("HEAD", $"blobs/{blob.Digest}"),
        ];
        for (var round = 0; round < 4; round++) // also once the statements are prepared
        {
            foreach (var (method, path) in requests)
                Assert.Equal((method, path, 1), (method, path, await CountAsync(registry, method, path, status: 200)));
            Assert.Equal(1, await CountAsync(registry, "GET", "manifests/none", status: 404));
            Assert.Equal(1, await CountAsync(registry, "HEAD", $"blobs/sha256:{new string('0', 64)}", status: 404));
        }
    }

    private async Task<int> CountAsync(RegistryFactory registry, string method, string path, int status)
    {
        var trace = ActivityTraceId.CreateRandom();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new(method), new Uri(registry.Address, $"/v2/team/app/{path}"));
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        using var answer = await http.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        return _commands.Count(command => command.TraceId == trace);
    }
}

