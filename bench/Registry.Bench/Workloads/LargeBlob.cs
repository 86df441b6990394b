using System.Collections.Concurrent;
using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads;

/// <summary>A blob that several rows pull.</summary>
internal static class LargeBlob
{
    private static readonly ConcurrentDictionary<(Uri Server, long Length), string> Pushed = new();

    public static string EnsurePushed(Target target, string repository, long length)
        => Pushed.GetOrAdd((target.Address, length), _ =>
        {
            var content = new byte[length];
            new Random(1).NextBytes(content);
            var digest = Image.DigestOf(content);
            using var connection = new HttpConnection(target.Address);
            Image.PushBlob(target, connection, repository, content, digest);
            return digest;
        });
}
