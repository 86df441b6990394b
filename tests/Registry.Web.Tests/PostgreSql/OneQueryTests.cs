using System.Collections.Concurrent;
using System.Diagnostics;
using Registry.Testing.Processes;
using Registry.Web.Tests.Access;

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
                // Opening a connection is no command, and happens to be needed while others are busy.
                if (activity.Source.Name == "Npgsql"
                    && (activity.GetTagItem("db.query.text") ?? activity.GetTagItem("db.statement")) is not null)
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

    [PostgreSqlFact]
    public async Task What_is_there_and_what_is_not_cost_an_outsider_the_same_queries() // S-21
    {
        using var folder = new TemporaryFolder();
        var users = folder.Combine("htpasswd");
        await File.WriteAllLinesAsync(users, [Htpasswd.Line("alice", "wonder"), Htpasswd.Line("bob", "builder")]);
        await using var registry = await RegistryFactory.StartAsync(
            RegistryFactory.OnPostgreSql(), ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", users),
            ("Access:Rules:0:Subject", "user:alice"), ("Access:Rules:0:Repositories:0", "**"),
            ("Access:Rules:0:Actions:0", "Pull"), ("Access:Rules:0:Actions:1", "Push"),
            ("Access:Rules:1:Subject", "user:bob"), ("Access:Rules:1:Repositories:0", "bob/**"),
            ("Access:Rules:1:Actions:0", "Pull"), ("Access:Rules:1:Actions:1", "Push"));
        var (alice, bob) = (Credentials.Basic("alice", "wonder"), Credentials.Basic("bob", "builder"));
        var blob = TestContent.Random(1000);
        (await registry.Client.PostAsync(
            $"/v2/team/app/blobs/uploads/?digest={blob.Digest}", blob.Bytes, alice, ("Content-Type", "application/octet-stream"))).Expect(201);
        (await registry.Client.PutAsync(
            "/v2/team/app/manifests/v1", ManifestBuilder.Index().Build().Bytes, alice,
            ("Content-Type", "application/vnd.oci.image.index.v1+json"))).Expect(201);
        (await registry.Client.GetAsync("/v2/", bob)).Expect(200); // his password is known from now on

        (string Method, string Path)[] requests =
        [
            ("GET", "manifests/v1"), ("HEAD", "manifests/v1"), ("PUT", "manifests/v1"), ("DELETE", "manifests/v1"),
            ("GET", $"blobs/{blob.Digest}"), ("HEAD", $"blobs/{blob.Digest}"), ("DELETE", $"blobs/{blob.Digest}"),
            ("POST", "blobs/uploads/"), ("GET", "tags/list"), ("GET", $"referrers/{blob.Digest}"),
        ];
        foreach (var (method, path) in requests)
        {
            foreach (var who in new[] { bob, ("X-Nobody", "") })
            {
                var status = who == bob ? 403 : 401;
                var there = await CountAsync(registry, method, path, status, who);
                Assert.Equal((method, path, there), (method, path, await CountAsync(registry, method, path, status, who, "team/none")));
            }
        }

        // A mount from where he may not pull: as if the blob were not there, which it is in one of them.
        var mounts = new List<int>();
        foreach (var source in new[] { "team/app", "team/none" })
        {
            var path = $"blobs/uploads/?mount={blob.Digest}&from={source}";
            mounts.Add(await CountAsync(registry, "POST", path, 202, bob, "bob/app"));
            mounts.Add(await CountAsync(registry, "POST", path, 202, bob, "bob/app"));
        }

        Assert.Equal(mounts[1], mounts[3]);
    }

    private async Task<int> CountAsync(
        RegistryFactory registry, string method, string path, int status, (string Name, string Value) who = default,
        string repository = "team/app")
    {
        var trace = ActivityTraceId.CreateRandom();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new(method), new Uri(registry.Address, $"/v2/{repository}/{path}"));
        if (who.Name is not null)
            request.Headers.Add(who.Name, who.Value);
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        using var answer = await http.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        return _commands.Count(command => command.TraceId == trace);
    }
}

