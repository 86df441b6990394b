using System.Collections.Concurrent;

namespace Registry.Crash.Tests;

/// <summary>
/// What was asked of the server and what it confirmed. An entry is written before its request leaves and is marked only
/// when the 201 has arrived, so a kill at any moment leaves the book right.
/// </summary>
internal sealed class PushLedger
{
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
