using System.Buffers.Binary;
using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads;

/// <summary>The rows of the comparison, in the order in which they run.</summary>
internal sealed class AllWorkloads(TimeSpan warmUp, TimeSpan window)
{
    /// <summary>The row that needs many repositories.</summary>
    public const string CatalogKey = "catalog-page";

    private const long Mebi = 1024 * 1024;
    private const int Readers = 16;
    private const int Writers = 8;
    private const string Pushed = "bench/pushed";
    private const string Accept = $"Accept: {HttpRequest.ImageManifest}";

    public IReadOnlyList<Workload> All =>
    [
        new("push-512", "push 512 MB (PATCH in chunks, as docker)", 2.0, 1.8, (t, r) => PushLarge(t, r, 1, 512, true), 512 * Mebi),
        new("push-512-put", "push 512 MB (PUT with a length)", null, null, (t, r) => PushLarge(t, r, 1, 512, false), 512 * Mebi),
        new("push-4x128", "push 4 × 128 MB at once", 2.0, 1.8, (t, r) => PushLarge(t, r, 4, 128, true), 128 * Mebi),
        new("pull-512", "pull 512 MB", 1.7, 1.3, (t, r) => PullLarge(t, r, 1), 512 * Mebi),
        new("pull-512x8", "pull 512 MB, 8 at once", 1.3, 1.3, (t, r) => PullLarge(t, r, 8), 512 * Mebi),
        new("push-4k", "push 4 KB blobs, 8 at once", 8, 8, PushSmall),
        new("put-manifest", "manifest PUT, 8 at once", 10, 10, PutManifests),
        new("head-tag", "manifest HEAD by tag, 16 at once", 20, 20, (t, _) => Read(t, "HEAD", ByTag)),
        new("get-tag", "manifest GET by tag, 16 at once", 20, 20, (t, _) => Read(t, "GET", ByTag)),
        new("head-digest", "manifest HEAD by digest, 16 at once", null, null, (t, _) => Read(t, "HEAD", ByDigest)),
        new("get-digest", "manifest GET by digest, 16 at once", 15, 20, (t, _) => Read(t, "GET", ByDigest)),
        new("head-blob", "blob HEAD, 16 at once", 15, 20, (t, _) => Read(t, "HEAD", SmallBlob)),
        new("get-blob", "GET of a 4 KB blob, 16 at once", 30, 30, (t, _) => Read(t, "GET", SmallBlob)),
        new("tag-page", "tag page (100 of 1,000)", 15, 20, (t, _) => Read(t, "GET", TagPage)),
        new(CatalogKey, "catalog page (100 of 1,000)", 20, 20, (t, _) => Read(t, "GET", CatalogPage)),
        new("get-tag-busy", "manifest GET by tag beside two large pushes", null, null, ReadBesidePushes),
    ];

    /// <summary>The rows with these keys; all of them when none is named.</summary>
    public IReadOnlyList<Workload> Select(IEnumerable<string> keys)
    {
        string[] wanted = [.. keys];
        var unknown = wanted.Except(All.Select(workload => workload.Key), StringComparer.Ordinal).ToArray();
        if (unknown.Length > 0)
            throw new ArgumentException($"There is no row '{unknown[0]}'.", nameof(keys));
        return [.. All.Where(workload => wanted.Length == 0 || wanted.Contains(workload.Key))];
    }

    private static string ByTag(int number) => $"/v2/{Fixture.Tagged}/manifests/{Fixture.Tag(number)}";

    private static string ByDigest(int number)
        => $"/v2/{Fixture.Tagged}/manifests/{Image.DigestOf(Fixture.Manifest(number))}";

    private static string SmallBlob(int number) => $"/v2/{Fixture.Tagged}/blobs/{Image.LayerDigest}";

    private static string TagPage(int number)
        => $"/v2/{Fixture.Tagged}/tags/list?n=100&last={Fixture.Tag(number % (Fixture.Tags - 100))}";

    private static string CatalogPage(int number)
        => $"/v2/_catalog?n=100&last={Fixture.Repository(number % (Fixture.Repositories - 100))}";

    private Measurement Read(Target target, string method, Func<int, string> path)
    {
        // What is asked for is made before the clock runs.
        byte[][] requests = [.. Enumerable.Range(0, Fixture.Tags)
            .Select(number => HttpRequest.Of(target.Address, method, path(number), Accept))];
        return ClosedLoop.Run(
            target, Readers, warmUp, window,
            (connection, number) => connection.Send(requests[number % requests.Length], 200));
    }

    private Measurement PushSmall(Target target, int round)
    {
        var salt = Random.Shared.NextInt64();
        return ClosedLoop.Run(target, Writers, warmUp, window, (connection, number) =>
        {
            Span<byte> content = stackalloc byte[4096];
            BinaryPrimitives.WriteInt64LittleEndian(content, salt);
            BinaryPrimitives.WriteInt32LittleEndian(content[8..], number);
            Image.PushBlob(target, connection, Pushed, content, Image.DigestOf(content));
        });
    }

    private Measurement PutManifests(Target target, int round)
    {
        var (repository, salt) = ($"bench/manifests{round}", Random.Shared.NextInt64());
        using (var connection = new HttpConnection(target.Address))
            Image.PushBlobs(target, connection, repository);
        return ClosedLoop.Run(
            target, Writers, warmUp, window,
            (connection, number) => Image.PutManifest(
                target, connection, repository, $"t{number}", Image.Manifest($"{salt} {number}")));
    }

    private static Measurement PushLarge(Target target, int round, int clients, int megabytes, bool chunked)
    {
        // What a server compiles or allocates at its first large transfer belongs to its start, not to each transfer.
        if (round == 0)
        {
            var first = NewContent(64, chunked);
            ClosedLoop.RunOnce(target, clients: 1, (connection, _) => Push(target, connection, first, chunked));
        }

        var contents = new (byte[] Body, string Digest)[clients];
        Parallel.For(0, clients, client => contents[client] = NewContent(megabytes, chunked));
        GC.Collect();
        Surroundings.Settle();
        return ClosedLoop.RunOnce(
            target, clients, (connection, client) => Push(target, connection, contents[client], chunked));
    }

    private static (byte[] Body, string Digest) NewContent(int megabytes, bool chunked)
    {
        var content = new byte[megabytes * Mebi];
        new Random().NextBytes(content);
        return (chunked ? HttpRequest.Chunked(content) : content, Image.DigestOf(content));
    }

    private static void Push(
        Target target, HttpConnection connection, (byte[] Body, string Digest) content, bool chunked)
    {
        var upload = Image.StartUpload(target, connection, Pushed);
        if (!chunked)
        {
            connection.Send(
                HttpRequest.Of(
                    target.Address, "PUT", Image.WithDigest(upload, content.Digest),
                    "Content-Type: application/octet-stream", $"Content-Length: {content.Body.Length}"),
                content.Body,
                expected: 201);
            return;
        }

        connection.Send(
            HttpRequest.Of(
                target.Address, "PATCH", upload, "Content-Type: application/octet-stream",
                "Transfer-Encoding: chunked"),
            content.Body,
            expected: 202);
        upload = Image.LocationOf(target, connection);
        connection.Send(
            HttpRequest.Of(target.Address, "PUT", Image.WithDigest(upload, content.Digest), "Content-Length: 0"), 201);
    }

    private static Measurement PullLarge(Target target, int round, int clients)
    {
        var digest = LargeBlob.EnsurePushed(target, Pushed, 512 * Mebi);
        var request = HttpRequest.Of(target.Address, "GET", $"/v2/{Pushed}/blobs/{digest}");
        if (round == 0)
            ClosedLoop.RunOnce(target, clients: 1, Pull);
        Surroundings.Settle();
        return ClosedLoop.RunOnce(target, clients, Pull);

        void Pull(HttpConnection connection, int number)
        {
            var length = connection.Send(request, 200);
            if (length != 512 * Mebi)
                throw new InvalidOperationException($"{length} bytes came of a blob of 512 MB.");
        }
    }

    private Measurement ReadBesidePushes(Target target, int round)
    {
        using var over = new CancellationTokenSource();
        var pushers = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
            () =>
            {
                var content = new byte[128 * Mebi];
                while (!over.IsCancellationRequested)
                {
                    Random.Shared.NextBytes(content.AsSpan(0, 64));
                    var digest = Image.DigestOf(content);
                    using var connection = new HttpConnection(target.Address);
                    Image.PushBlob(target, connection, Pushed, content, digest);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        var measured = Read(target, "GET", ByTag);
        over.Cancel();
        Task.WaitAll(pushers);
        return measured;
    }
}
