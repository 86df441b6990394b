using System.Security.Cryptography;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Stores;

/// <summary>
/// The hash of an upload's first <see cref="Position"/> bytes, to be continued. It cannot be saved, only kept.
/// </summary>
internal sealed class RunningHash(DigestAlgorithm algorithm) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm.Hash);

    public DigestAlgorithm Algorithm { get; } = algorithm;

    public long Position { get; private set; }

    /// <summary>
    /// What the store knew the bytes by when this hash was put aside; bytes that others have written have another one.
    /// </summary>
    public object? Stamp { get; set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Position += bytes.Length;
    }

    public Digest ToDigest() => Digest.FromHash(Algorithm, _hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();
}

/// <summary>
/// The hashes of uploads that rest between two requests. A hash that is not here (any more) costs reading the bytes
/// once more when the upload is closed.
/// </summary>
internal sealed class RunningHashes(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadId, LinkedListNode<(UploadId Id, RunningHash Hash)>> _byId = [];
    private readonly LinkedList<(UploadId Id, RunningHash Hash)> _byAge = [];

    /// <summary>Hands the hash over to the caller.</summary>
    public RunningHash? Take(UploadId id)
    {
        lock (_lock)
        {
            if (!_byId.Remove(id, out var node))
                return null;
            _byAge.Remove(node);
            return node.Value.Hash;
        }
    }

    /// <summary>Keeps a hash, in place of the one that was used longest ago when there are too many.</summary>
    public void Keep(UploadId id, RunningHash hash)
    {
        lock (_lock)
        {
            if (_byId.Count >= capacity && _byAge.First is { } oldest)
            {
                _byAge.RemoveFirst();
                _byId.Remove(oldest.Value.Id);
                oldest.Value.Hash.Dispose();
            }

            _byId[id] = _byAge.AddLast((id, hash));
        }
    }
}
