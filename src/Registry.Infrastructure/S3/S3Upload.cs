using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>
/// One upload's bytes. Parts go up (<see cref="S3Parts"/>) while the client is still sending. What is less than a part
/// stays in memory until the request ends; a small blob is nothing but that.
/// </summary>
/// <param name="cached">The blob, when it gets a location of its own whatever its length; null otherwise.</param>
/// <param name="offset">Where the session stands.</param>
/// <param name="earlier">The state that the request before this one has left; null without one.</param>
internal sealed class S3Upload(
    UploadId id, Digest? cached, long offset, string? earlier, string store, S3Bucket bucket, S3Cleaner cleaner,
    PiecePool pool, RunningHashes hashes, Action released)
    : IStagedUpload
{
    private readonly string _key = KeyOf(id, cached);
    private readonly StagedParts _saved = StagedParts.Parse(earlier);
    private readonly S3Parts _parts = new(KeyOf(id, cached), store, bucket, pool);
    private PartBuffer _rest = new(pool);
    private RunningHash? _hash = hashes.Take(id);
    private Digest? _verified;
    private bool _ended;
    private bool _grown;
    private bool _disposed;

    private long Size => _parts.Bytes + _rest.Length;

    public async Task<AppendedBytes?> AppendAsync(
        Stream content, DigestAlgorithm algorithm, bool final, CancellationToken cancellationToken)
    {
        if (!await TryContinueAsync())
            return null;
        StartHash(algorithm);
        try
        {
            if (await TakeAsync(content, cancellationToken) is not { } complete)
                return null;
            if (final)
                return new(Size, complete);
            if (!await TrySaveAsync())
                return null;
            var state = _grown ? await SaveRestAsync() : earlier;
            if (_hash is not null)
                _hash.Stamp = state;
            return new(Size, complete, state);
        }
        catch
        {
            DropHash(); // it has seen bytes that do not count
            throw;
        }
        finally
        {
            await _parts.SettleAsync();
        }
    }

    /// <summary>
    /// Sends a blob that is arriving in a local file. Its parts are read from there when they go up: in memory they
    /// would be 24 MiB for each blob. What is no more than one part is taken into memory, as from a client.
    /// </summary>
    /// <returns>Whether all of it has been sent.</returns>
    public async Task<bool> SendAsync(Spool spool, Digest digest, CancellationToken cancellationToken)
    {
        await using var content = spool.OpenStream(cancellationToken); // keeps the file open for the parts
        if (spool.Size <= _parts.NextBytes)
        {
            return await AppendAsync(content, digest.Algorithm, final: true, CancellationToken.None)
                is { Complete: true };
        }

        using var follower = spool.Follow(cancellationToken);
        try
        {
            for (long first = 0; first < spool.Size;)
            {
                var length = (int)Math.Min(_parts.NextBytes, spool.Size - first);
                await follower.WaitAsync(first + length - 1);
                if (!await _parts.TrySendAsync(new ArrivedPart(spool, first, length), keep: false))
                    return false;
                first += length;
            }

            await _parts.DrainAsync();
            _verified = digest; // or the last byte could not have been read
            return true;
        }
        finally
        {
            await _parts.SettleAsync();
        }
    }

    public async Task<string?> PublishAsync(Digest digest, long size, CancellationToken cancellationToken)
    {
        if (size != Size)
            return null;
        var known = _hash?.Algorithm == digest.Algorithm && _hash.Position == size ? _hash.ToDigest() : _verified;
        if (!_parts.Any)
            known ??= DigestOfRest(digest.Algorithm);
        if (known is not null && known != digest)
            return null;

        var location = _parts.Any
            ? await EndAsync(digest, size, known, cancellationToken)
            : await PutSmallAsync(digest, cancellationToken);
        if (location is null)
            return null;

        cleaner.Delete(RestKeys());
        return location;
    }

    public async Task DiscardAsync()
    {
        DropHash();
        _rest.Dispose();
        await cleaner.DropAsync(id, _key, _saved with { Upload = _ended ? null : _parts.Upload ?? _saved.Upload });
        if (_ended)
            cleaner.Delete([_key]);
    }

    public ValueTask DisposeAsync()
    {
        if (_disposed)
            return ValueTask.CompletedTask;
        _disposed = true;

        _rest.Dispose();
        if (_hash?.Stamp is not null)
            hashes.Keep(id, _hash);
        else
            DropHash();
        _hash = null;
        released();
        return ValueTask.CompletedTask;
    }

    // Takes up where the session stands, even when the client is gone: what it has sent counts. False when the bytes
    // are not (all) there.
    private async Task<bool> TryContinueAsync()
    {
        if (!Equals(_hash?.Stamp, earlier) || _hash?.Position != offset)
            DropHash();
        if (_hash is not null)
            _hash.Stamp = null;
        if (offset == 0)
            return true;
        if (_saved.Size != offset)
            return false;

        _parts.Continue(_saved);
        return _saved.Rest is null || await TryReadRestAsync(_saved.Rest);
    }

    private async Task<bool> TryReadRestAsync(string name)
    {
        if (await bucket.ReadAsync(S3Layout.Rest(id, name), CancellationToken.None) is not { } rest
            || rest.Length != _saved.RestBytes)
            return false;
        for (var at = 0; at < rest.Length; at += PiecePool.PieceBytes)
        {
            var piece = pool.Rent();
            var count = Math.Min(PiecePool.PieceBytes, rest.Length - at);
            rest.AsSpan(at, count).CopyTo(piece);
            _rest.Add(piece, count);
        }

        return true;
    }

    // A hash can begin only with the first byte; what has no part yet is all in memory.
    private void StartHash(DigestAlgorithm algorithm)
    {
        if (_hash is not null && _hash.Algorithm != algorithm)
            DropHash();
        if (_hash is not null || _parts.Any)
            return;
        _hash = new(algorithm);
        foreach (var piece in _rest.Pieces)
            _hash.Append(piece);
    }

    // Whether the content was complete; null when the upload has been lost.
    private async Task<bool?> TakeAsync(Stream content, CancellationToken cancellationToken)
    {
        var hashing = Task.CompletedTask;
        byte[]? piece = null;
        try
        {
            while (true)
            {
                piece ??= pool.Rent();
                var (count, end) = await content.FillAsync(piece, cancellationToken);
                await hashing;
                if (count > 0)
                {
                    if (_rest.Length + count > _parts.NextBytes && !await TrySendRestAsync())
                        return null;
                    var bytes = piece.AsMemory(0, count);
                    _rest.Add(piece, count);
                    (piece, _grown) = (null, true);
                    // The last piece, which is the only one of a small body, is not worth another thread.
                    if (end is ContentEnd.NotYet)
                        hashing = Task.Run(() => _hash?.Append(bytes.Span), CancellationToken.None);
                    else
                        _hash?.Append(bytes.Span);
                }

                if (Size > S3Parts.MaxBytes)
                    throw _parts.TooLarge();
                if (end is ContentEnd.NotYet)
                    continue;
                await _parts.DrainAsync();
                return end is ContentEnd.Complete;
            }
        }
        finally
        {
            await hashing; // it reads a piece that must not go back before
            if (piece is not null)
                pool.Return(piece);
        }
    }

    // What is enough for a part becomes one, so that the next request has little to read again.
    private async Task<bool> TrySaveAsync()
    {
        if (!_grown || _rest.Length < _parts.EnoughBytes)
            return true;
        if (!await TrySendRestAsync())
            return false;
        await _parts.DrainAsync();
        return true;
    }

    private async Task<string> SaveRestAsync()
    {
        string? rest = null;
        if (_rest.Length > 0)
        {
            rest = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            await bucket.PutAsync(S3Layout.Rest(id, rest), _rest.OpenRead, CancellationToken.None);
        }

        if (_saved.OldRest is { } old)
            cleaner.Delete([S3Layout.Rest(id, old)]);
        return new StagedParts(_parts.Upload, [.. _parts.Sent], rest, _rest.Length, _saved.Rest).ToString();
    }

    // Sends what is in memory as the next part. False when the upload has been lost.
    private async Task<bool> TrySendRestAsync(bool keep = false)
    {
        if (!await _parts.TrySendAsync(_rest, keep))
            return false;
        _rest = new(pool);
        return true;
    }

    private async Task<string> PutSmallAsync(Digest digest, CancellationToken cancellationToken)
    {
        // Nothing is ever overwritten: what stands there may be damaged, or about to be deleted.
        var location = StoreLayout.BlobLocation(digest);
        if (cached is null && await bucket.TryPutAsync(location, _rest.OpenRead, ifAbsent: true, cancellationToken))
            return location;
        await bucket.PutAsync(_key, _rest.OpenRead, cancellationToken);
        return _key;
    }

    private async Task<string?> EndAsync(
        Digest digest, long size, Digest? known, CancellationToken cancellationToken)
    {
        if (!_ended)
        {
            if (await TryEndAsync(size) is not { } certain)
                return null;
            _ended = true;
            if (!certain)
                known = null;
        }

        known ??= await ReadDigestAsync(digest.Algorithm, size, cancellationToken);
        if (known != digest)
            return null;

        if (cached is null)
            await PointAsync(StoreLayout.BlobLocation(digest), size);
        return _key;
    }

    // An older pointer is replaced, the blob's own bytes are not: a row may name them as the place of the blob.
    private async Task PointAsync(string address, long size)
    {
        var pointer = JsonSerializer.SerializeToUtf8Bytes(new { location = _key, size });
        if (await bucket.TryPutAsync(
            address, () => new MemoryStream(pointer), ifAbsent: true, CancellationToken.None))
            return;
        using (var there = await bucket.GetAsync(address, new(0, 0), CancellationToken.None))
        {
            if (there is not null && S3BlobStore.SizeOf(there) == size)
                return;
        }

        await bucket.PutAsync(address, () => new MemoryStream(pointer), CancellationToken.None);
    }

    // As S3Parts.TryEndAsync, with what is in memory as the last part.
    private async Task<bool?> TryEndAsync(long size)
    {
        var last = _rest;
        if (last.Length > 0 && !await TrySendRestAsync(keep: true))
            return null;
        using (last)
            return await _parts.TryEndAsync(last, size);
    }

    private Digest DigestOfRest(DigestAlgorithm algorithm)
    {
        using var hash = new RunningHash(algorithm);
        foreach (var piece in _rest.Pieces)
            hash.Append(piece);
        return hash.ToDigest();
    }

    private async Task<Digest?> ReadDigestAsync(
        DigestAlgorithm algorithm, long size, CancellationToken cancellationToken)
    {
        if (await S3BlobContent.OpenAsync(bucket, _key, size, part: null, cancellationToken) is not { } content)
            return null;
        await using var _ = content;
        using HashAlgorithm hash = algorithm == DigestAlgorithm.Sha256 ? SHA256.Create() : SHA512.Create();
        await using var sink = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write);
        var writer = PipeWriter.Create(sink, new StreamPipeWriterOptions(leaveOpen: true));
        await content.CopyToAsync(writer, new(0, size - 1), cancellationToken);
        await writer.CompleteAsync();
        await sink.FlushFinalBlockAsync(cancellationToken);
        return Digest.FromHash(algorithm, hash.Hash!);
    }

    private static string KeyOf(UploadId id, Digest? cached)
        => cached is null ? S3Layout.UploadedBlob(id) : S3Layout.CachedBlob(id, cached);

    private IEnumerable<string> RestKeys()
        => new[] { _saved.Rest, _saved.OldRest }.OfType<string>().Select(name => S3Layout.Rest(id, name));

    private void DropHash()
    {
        _hash?.Dispose();
        _hash = null;
    }
}
