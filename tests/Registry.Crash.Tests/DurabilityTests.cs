using Registry.Testing.Processes;

namespace Registry.Crash.Tests;

/// <summary>
/// What a power cut would show, without one: the server's system calls must make everything durable before its 201.
/// (A kill -9 cannot show this: the kernel keeps what the process wrote.)
/// </summary>
public sealed class DurabilityTests
{
    private const string Calls =
        "trace=openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,fsync,fdatasync,syncfs,"
        + "write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg";

    private const string TagLink = "docker/registry/v2/repositories/team/app/_manifests/tags/v1/current/link";

    [TracerFact]
    public async Task A_blob_and_a_manifest_are_durable_before_their_201_leaves()
    {
        using var data = new WorkFolder("trace");
        var folder = Path.Combine(data.Path, "not", "there", "yet"); // so that every folder is made, and must last
        using var elsewhere = new WorkFolder("trace-output");
        var output = elsewhere.File("trace.txt");
        var blobs = new[] { (PushWay.Put, Blob(1)), (PushWay.Stream, Blob(2)), (PushWay.Chunks, Blob(3)) };

        // -D: the tracer is the child, so that the server has the id of the process that was started.
        await using (var server = await RegistryProcess.StartAsync(
            folder, "/healthz/ready", listen: null, settings: null, "strace", "-D", "-f", "-y", "-tt", "-s", "64", "-e", Calls, "-o", output))
        {
            using var client = new PlainClient(server.Address);
            foreach (var (way, blob) in blobs)
                await client.PushAsync("team/app", blob, way);
            var manifest = PlainClient.Manifest(blobs[0].Item2, blobs[1].Item2, blobs[2].Item2);
            await client.PutManifestAsync("team/app", "v1", manifest);
            await UntilAsync(() => File.Exists(Path.Combine(folder, "blobs", TagLink)));
            Assert.True(await server.StopAsync(), $"The server did not end at SIGTERM.\n{server.Log}");
        }

        var trace = SystemCallTrace.Parse(await ReadTraceAsync(output));
        var created = trace.Responses(201);
        Assert.Equal(blobs.Length + 1, created.Length);
        for (var i = 0; i < blobs.Length; i++)
            AssertBlobIsDurable(trace, folder, blobs[i].Item2.Digest, since: i == 0 ? 0 : created[i - 1], created[i]);
        // Once the manifest is committed its copies are written, and then the database is told: that need not be durable.
        var copied = trace.Calls.First(
            c => c.Name.StartsWith("rename", StringComparison.Ordinal) && c.Paths is [_, var to] && to.Contains("/_manifests/", StringComparison.Ordinal));
        AssertWalIsDurable(trace, folder, since: created[^2], before: Math.Min(created[^1], copied.Began));
        // The copies are flushed together, before the database forgets that they are to be written.
        var last = trace.Calls.Last(
            c => c.Name.StartsWith("rename", StringComparison.Ordinal) && c.Paths is [_, var to] && to.EndsWith(TagLink, StringComparison.Ordinal));
        var flushed = trace.Calls.FirstOrDefault(
            c => c.Name == "syncfs" && c.Result == 0 && c.DescriptorPath == $"{folder}/blobs" && c.Began > last.Ended);
        Assert.True(flushed is not null, "The copies of the manifest were not flushed.");
        Assert.DoesNotContain(
            trace.Writes($"{folder}/registry.db-wal"), write => write.Began > last.Ended && write.Began < flushed.Ended);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 600, "The copies of the manifest did not come within 30 s.");
            await Task.Delay(50);
        }
    }

    private static void AssertBlobIsDurable(
        SystemCallTrace trace, string data, string digest, int since, int before)
    {
        var hex = digest["sha256:".Length..];
        var target = $"{data}/blobs/docker/registry/v2/blobs/sha256/{hex[..2]}/{hex}/data";
        var rename = trace.Calls.LastOrDefault(
            c => c.Name.StartsWith("rename", StringComparison.Ordinal) && c.Result == 0
                && c.Paths is [_, var to] && to == target && c.Ended < before);
        Assert.True(rename is not null, $"Nothing was renamed to {target} before the 201.");

        var staged = rename.Paths[0];
        Assert.True(
            trace.Syncs(staged).Any(s => s.Began > since && s.Ended < rename.Began),
            $"{staged} was not synced before it was renamed.");
        var lastWrite = trace.Writes(staged).Select(w => w.Ended).DefaultIfEmpty(0).Max();
        Assert.True(
            trace.Syncs(staged).Any(s => s.Began > lastWrite && s.Ended < rename.Began),
            $"{staged} was written to after its last sync.");

        AssertEntryIsDurable(trace, target, gained: rename.Ended, before);
        foreach (var folder in trace.Calls.Where(
            c => c.Name is "mkdir" or "mkdirat" && c.Result == 0 && c.Ended < before && c.Paths is [var made, ..]
                && target.StartsWith($"{made}/", StringComparison.Ordinal)))
            AssertEntryIsDurable(trace, folder.Paths[0], gained: folder.Ended, before);

        // The row comes after the bytes: a row without its bytes would be a lie.
        AssertWalIsDurable(trace, data, since: rename.Ended, before);
    }

    /// <summary>The directory that gained an entry was synced afterwards.</summary>
    private static void AssertEntryIsDurable(SystemCallTrace trace, string path, int gained, int before)
    {
        var folder = Path.GetDirectoryName(path)!;
        Assert.True(
            trace.Syncs(folder).Any(s => s.Began > gained && s.Ended < before),
            $"{folder} gained '{Path.GetFileName(path)}' and was not synced before the 201.");
    }

    private static void AssertWalIsDurable(SystemCallTrace trace, string data, int since, int before)
    {
        var wal = $"{data}/registry.db-wal";
        var written = trace.Writes(wal).Where(w => w.Began > since && w.Ended < before).ToArray();
        Assert.True(written.Length > 0, $"Nothing was written to {wal} before the 201.");
        Assert.True(
            trace.Syncs(wal).Any(s => s.Began > written.Max(w => w.Ended) && s.Ended < before),
            $"{wal} was written to after its last sync before the 201.");
    }

    private static GeneratedContent Blob(int seed) => new(seed, 300_000);

    /// <summary>The tracer writes its last line a moment after the server is gone.</summary>
    private static async Task<string[]> ReadTraceAsync(string file)
    {
        var length = -1L;
        while (length != new FileInfo(file).Length)
        {
            length = new FileInfo(file).Length;
            await Task.Delay(300);
        }

        return await File.ReadAllLinesAsync(file);
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TracerFactAttribute : FactAttribute
    {
        public TracerFactAttribute() => Skip = Programs.ReasonToSkip("strace");
    }
}
