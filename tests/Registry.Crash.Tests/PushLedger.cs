using System.Collections.Concurrent;
using Registry.Testing.Processes;

namespace Registry.Crash.Tests;

/// <summary>
/// What was asked of the server and what it confirmed. An entry is written before its request leaves and is marked only
/// when the 201 has arrived, so a kill at any moment leaves the book right.
/// </summary>
internal sealed class PushLedger
{
    private static readonly ParallelOptions AFewAtOnce = new() { MaxDegreeOfParallelism = 8 };

    private long _clock;

    public ConcurrentDictionary<(string Repository, string Digest), BlobEntry> Blobs { get; } = new();

    public ConcurrentDictionary<(string Repository, string Digest), ManifestEntry> Manifests { get; } = new();

    public ConcurrentDictionary<(string Repository, string Tag), ConcurrentQueue<TagMove>> Tags { get; } = new();

    public async Task BlobAsync(string repository, GeneratedContent content, Func<Task> push)
    {
        var entry = Blobs.GetOrAdd((repository, content.Digest), _ => new BlobEntry(content));
        await push();
        entry.Accepted = true;
    }

    public async Task ManifestAsync(string repository, string tag, string digest, byte[] bytes, Func<Task> put)
    {
        var entry = Manifests.GetOrAdd((repository, digest), _ => new ManifestEntry(bytes));
        var move = new TagMove(digest, Interlocked.Increment(ref _clock));
        Tags.GetOrAdd((repository, tag), _ => new()).Enqueue(move);
        try
        {
            await put();
            entry.Accepted = true;
            move.Accepted = true;
        }
        finally
        {
            move.Ended = Interlocked.Increment(ref _clock);
        }
    }

    /// <summary>
    /// The digests a tag may have now: of any move, confirmed or cut off, unless a confirmed move began after it ended.
    /// </summary>
    public static HashSet<string> PossibleDigests(IReadOnlyCollection<TagMove> moves)
        => [.. moves
            .Where(move => !moves.Any(later => later.Accepted && later.Began > move.Ended))
            .Select(move => move.Digest)];

    /// <summary>Asserts that all which was confirmed is there, and nothing that nobody has sent.</summary>
    /// <param name="isChosen">Which of the blobs and manifests are read.</param>
    public async Task VerifyAsync(PlainClient client, Func<object, bool> isChosen)
    {
        var blobs = Blobs.Where(blob => isChosen(blob.Value)).ToArray();
        await Parallel.ForEachAsync(blobs, AFewAtOnce, async (blob, _) =>
        {
            var (repository, digest) = blob.Key;
            var found = await client.PullBlobAsync(repository, digest);
            if (found is null)
                Assert.False(blob.Value.Accepted, $"{repository}@{digest} was confirmed with 201 and is gone.");
            else
                Assert.Equal((digest, blob.Value.Content.Length), found.Value);
        });

        var manifests = Manifests.Where(manifest => isChosen(manifest.Value)).ToArray();
        await Parallel.ForEachAsync(manifests, AFewAtOnce, async (manifest, _) =>
        {
            var ((repository, digest), entry) = manifest;
            var found = await client.PullManifestAsync(repository, digest);
            if (found is null)
                Assert.False(entry.Accepted, $"The manifest {repository}@{digest} was confirmed with 201 and is gone.");
            else
                Assert.Equal(entry.Bytes, found);
        });

        foreach (var ((repository, tag), moves) in Tags)
        {
            if (await client.PullManifestAsync(repository, tag) is { } found)
                Assert.Contains(ImageLayout.DigestOf(found), PossibleDigests(moves));
            else
                Assert.DoesNotContain(moves, move => move.Accepted);
        }

        foreach (var repository in Tags.Where(t => t.Value.Any(m => m.Accepted)).GroupBy(t => t.Key.Repository))
        {
            var listed = await client.ListTagsAsync(repository.Key);
            Assert.All(repository, tag => Assert.Contains(tag.Key.Tag, listed));
        }
    }

    internal sealed class BlobEntry(GeneratedContent content)
    {
        public GeneratedContent Content { get; } = content;

        public bool Accepted { get; set; }
    }

    internal sealed class ManifestEntry(byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public bool Accepted { get; set; }
    }

    internal sealed class TagMove(string digest, long began)
    {
        public string Digest { get; } = digest;

        public long Began { get; } = began;

        public long Ended { get; set; } = long.MaxValue;

        public bool Accepted { get; set; }
    }
}
