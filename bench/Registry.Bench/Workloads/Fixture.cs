using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads;

/// <summary>What every server holds before the first measurement.</summary>
internal static class Fixture
{
    public const int Tags = 1_000;
    public const int Repositories = 1_000;

    /// <summary>The repository with <see cref="Tags"/> tags, each of a manifest of its own.</summary>
    public const string Tagged = "bench/tagged";

    public static string Tag(int number) => $"v1.{number % Tags:000}";

    public static byte[] Manifest(int number) => Image.Manifest($"fixture {number % Tags}");

    /// <summary>One of <see cref="Repositories"/> repositories.</summary>
    public static string Repository(int number) => $"many/r{number % Repositories:0000}";

    /// <param name="withRepositories">Fills <see cref="Repositories"/> too, which takes long on a slow store.</param>
    public static void Fill(Target target, bool withRepositories)
    {
        var repositories = withRepositories ? Repositories : 0;
        using (var first = new HttpConnection(target.Address))
            Image.PushBlobs(target, first, Tagged);

        var next = -1;
        Exception? failure = null;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(Work)).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        if (failure is not null)
            throw new InvalidOperationException($"{target.Name} could not be filled: {failure.Message}", failure);

        void Work()
        {
            try
            {
                using var connection = new HttpConnection(target.Address);
                for (int number; (number = Interlocked.Increment(ref next)) < Math.Max(Tags, repositories);)
                {
                    if (number < Tags)
                        Image.PutManifest(target, connection, Tagged, Tag(number), Manifest(number));
                    if (number >= repositories)
                        continue;
                    foreach (var digest in (string[])[Image.ConfigDigest, Image.LayerDigest])
                    {
                        var mount = $"/v2/{Repository(number)}/blobs/uploads/?mount={digest}&from={Tagged}";
                        connection.Send(HttpRequest.Of(target.Address, "POST", mount, "Content-Length: 0"), 201);
                    }

                    Image.PutManifest(target, connection, Repository(number), "latest", Manifest(number));
                }
            }
            catch (Exception e)
            {
                Volatile.Write(ref failure, e);
            }
        }
    }
}
