using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>
/// One upload's bytes. Parts go up while the client is still sending: one is filled, up to two are on their way. What
/// is less than a part stays in memory until the request ends; a small blob is nothing but that.
/// </summary>
internal sealed class S3Upload(
    UploadSession session, string store, S3Bucket bucket, S3Cleaner cleaner, PiecePool pool, RunningHashes hashes,
    Action released)
    : IStagedUpload
{
    /// <summary>The least that a part may have, unless it is the last one.</summary>
    public const int MinPartBytes = 5 << 20;

    private const int MaxParts = 10_000;

    // Up to here a part has 8 MiB, and three are in memory: one that is filled, two on their way. Behind, a part has 16
    // MiB, and two are in memory, so that 10,000 parts suffice for 128 GiB even where each chunk ends one.
    internal const int SmallParts = 2_000;
    private const int SmallPartBytes = 8 << 20;
    private const int LargePartBytes = 16 << 20;
    private const long MaxBytes = 128L << 30;

    private const long MaxCopyBytes = 1L << 30;

    private readonly string _key = S3Layout.UploadedBlob(session.Id);
    private readonly StagedParts _saved = StagedParts.Parse(session.State);
    private readonly List<StagedPart> _parts = [];
    private readonly Queue<Task<StagedPart>> _sending = [];
    private PartBuffer _rest = new(pool);
    private RunningHash? _hash = hashes.Take(session.Id);
    private string? _upload;
    private long _partBytes; // of all parts, those that are being sent included
    private bool _continued; // the upload was begun by another request, and may have ended since
    private bool _ended;
    private bool _grown;
    private bool _disposed;

    private long Size => _partBytes + _rest.Length;

    private int NextPart => _parts.Count + _sending.Count + 1;

    private int PartBytes => NextPart <= SmallParts ? SmallPartBytes : LargePartBytes;

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
            var state = _grown ? await SaveRestAsync() : session.State;
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
            await ((Task)Task.WhenAll(_sending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task<string?> PublishAsync(Digest digest, long size, CancellationToken cancellationToken)
    {
        if (size != Size)
            return null;
        var known = _hash?.Algorithm == digest.Algorithm && _hash.Position == size ? _hash.ToDigest() : null;
        if (_parts.Count == 0)
            known ??= DigestOfRest(digest.Algorithm);
        if (known is not null && known != digest)
            return null;

        var location = _parts.Count == 0
            ? await PutSmallAsync(digest, cancellationToken)
            : await EndAsync(digest, size, known, cancellationToken);
        if (location is null)
            return null;

        cleaner.Delete(RestKeys());
        return location;
    }

    public async Task DiscardAsync()
    {
        DropHash();
        _rest.Dispose();
        await cleaner.DropAsync(session.Id, _saved with { Upload = _ended ? null : _upload ?? _saved.Upload });
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
            hashes.Keep(session.Id, _hash);
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
        if (!Equals(_hash?.Stamp, session.State) || _hash?.Position != session.Offset)
            DropHash();
        if (_hash is not null)
            _hash.Stamp = null;
        if (session.Offset == 0)
            return true;
        if (_saved.Size != session.Offset)
            return false;

        (_upload, _continued) = (_saved.Upload, _saved.Upload is not null);
        _parts.AddRange(_saved.Parts);
        _partBytes = _saved.Size - _saved.RestBytes;
        return _saved.Rest is null || await TryReadRestAsync(_saved.Rest);
    }

    private async Task<bool> TryReadRestAsync(string name)
    {
        if (await bucket.ReadAsync(S3Layout.Rest(session.Id, name), CancellationToken.None) is not { } rest
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
        if (_hash is not null || _parts.Count > 0)
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
                    if (_rest.Length + count > PartBytes && !await TrySendRestAsync())
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

                if (Size > MaxBytes)
                    throw new Domain.Errors.StorageException(
                        Domain.Errors.OciError.BlobTooLarge(store, MaxBytes), new IOException("Too many parts."));
                if (end is not ContentEnd.NotYet)
                    return await DrainAsync(end is ContentEnd.Complete);
            }
        }
        finally
        {
            await hashing; // it reads a piece that must not go back before
            if (piece is not null)
                pool.Return(piece);
        }
    }

    private async Task<bool> DrainAsync(bool complete)
    {
        while (_sending.TryDequeue(out var part))
            _parts.Add(await part);
        return complete;
    }

    // What is enough for a part becomes one, so that the next request has little to read again.
    private async Task<bool> TrySaveAsync()
    {
        var enough = NextPart <= SmallParts ? MinPartBytes : LargePartBytes - PiecePool.PieceBytes;
        if (!_grown || _rest.Length < enough)
            return true;
        if (!await TrySendRestAsync())
            return false;
        return await DrainAsync(true);
    }

    private async Task<string> SaveRestAsync()
    {
        string? rest = null;
        if (_rest.Length > 0)
        {
            rest = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            await bucket.PutAsync(S3Layout.Rest(session.Id, rest), _rest.OpenRead, CancellationToken.None);
        }

        if (_saved.OldRest is { } old)
            cleaner.Delete([S3Layout.Rest(session.Id, old)]);
        return new StagedParts(_upload, [.. _parts], rest, _rest.Length, _saved.Rest).ToString();
    }

    // Sends what is in memory as the next part. False when the upload has been lost.
    private async Task<bool> TrySendRestAsync(bool keep = false)
    {
        if (NextPart > MaxParts)
            throw new Domain.Errors.StorageException(
                Domain.Errors.OciError.BlobTooLarge(store, MaxBytes), new IOException("Too many parts."));

        var part = _rest;
        if (_continued)
        {
            _continued = false;
            var etag = await bucket.UploadPartAsync(_key, _upload!, NextPart, part, CancellationToken.None);
            if (etag is not null)
            {
                _parts.Add(new(etag, part.Length));
                _partBytes += part.Length;
                _rest = new(pool);
                if (!keep)
                    part.Dispose();
                return true;
            }

            // Ended by a request before this one, which then did not come to its own end.
            if (!await TryCopyPartsAsync(_partBytes))
                return false;
        }

        _upload ??= await bucket.BeginUploadAsync(_key, CancellationToken.None);
        while (_sending.Count >= (NextPart <= SmallParts ? 2 : 1))
            _parts.Add(await _sending.Dequeue());
        _partBytes += part.Length;
        _rest = new(pool);
        _sending.Enqueue(SendAsync(NextPart, part, keep));
        return true;
    }

    private async Task<StagedPart> SendAsync(int number, PartBuffer part, bool keep)
    {
        try
        {
            var etag = await bucket.UploadPartAsync(_key, _upload!, number, part, CancellationToken.None)
                ?? throw bucket.Faults.Of(new IOException($"The multipart upload {_upload} is gone."));
            return new(etag, part.Length);
        }
        finally
        {
            if (!keep)
                part.Dispose();
        }
    }

    // Begins the upload anew, from the first bytes of the object that stands at its key.
    private async Task<bool> TryCopyPartsAsync(long size)
    {
        using (var whole = await bucket.GetAsync(_key, new(0, 0), CancellationToken.None))
        {
            if (whole is null || S3BlobStore.SizeOf(whole) < size)
                return false;
        }

        var upload = await bucket.BeginUploadAsync(_key, CancellationToken.None);
        var copies = new List<StagedPart>();
        var count = (size + MaxCopyBytes - 1) / MaxCopyBytes;
        for (var copy = 0L; copy < count; copy++)
        {
            var (first, behind) = (size * copy / count, size * (copy + 1) / count);
            var etag = await bucket.CopyPartAsync(
                _key, new(first, behind - 1), _key, upload, copies.Count + 1, CancellationToken.None);
            copies.Add(new(etag, behind - first));
        }

        _upload = upload;
        _parts.Clear();
        _parts.AddRange(copies);
        return true;
    }

    private async Task<string> PutSmallAsync(Digest digest, CancellationToken cancellationToken)
    {
        // Nothing is ever overwritten: what stands there may be damaged, or about to be deleted.
        var location = StoreLayout.BlobLocation(digest);
        if (await bucket.TryPutAsync(location, _rest.OpenRead, ifAbsent: true, cancellationToken))
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

    // Makes the parts an object. Null when the upload has been lost; false when it had ended before, so that only its
    // length is known.
    private async Task<bool?> TryEndAsync(long size)
    {
        var last = _rest;
        if (last.Length > 0 && !await TrySendRestAsync(keep: true))
            return null;
        using (last)
        {
            await DrainAsync(true);
            switch (await bucket.EndUploadAsync(_key, _upload!, _parts, CancellationToken.None))
            {
                case UploadEnd.Done:
                    return true;
                case UploadEnd.OtherParts:
                    await EndWithOthersAsync(last, size);
                    return true;
                default:
                    using (var whole = await bucket.GetAsync(_key, new(0, 0), CancellationToken.None))
                        return whole is not null && S3BlobStore.SizeOf(whole) == size ? false : null;
            }
        }
    }

    // A request whose bytes did not count may have sent more parts than this one. Where a server insists on all of
    // them, they become part of an object of which the beginning is then copied.
    private async Task EndWithOthersAsync(PartBuffer last, long size)
    {
        var all = await bucket.ListPartsAsync(_key, _upload!, CancellationToken.None);
        if (_parts[^1].Size < MinPartBytes)
        {
            while (last.Length < MinPartBytes)
                last.Add(pool.Rent(), PiecePool.PieceBytes);
            var etag = await bucket.UploadPartAsync(_key, _upload!, _parts.Count, last, CancellationToken.None)
                ?? throw bucket.Faults.Of(new IOException($"The multipart upload {_upload} is gone."));
            _parts[^1] = new(etag, last.Length);
        }

        await EndOrThrowAsync([.. _parts, .. all.Skip(_parts.Count)]);
        if (!await TryCopyPartsAsync(size))
            throw bucket.Faults.Of(new IOException($"The object {_key} is gone."));
        await EndOrThrowAsync(_parts);
    }

    private async Task EndOrThrowAsync(IReadOnlyList<StagedPart> parts)
    {
        if (await bucket.EndUploadAsync(_key, _upload!, parts, CancellationToken.None) is var end
            && end is not UploadEnd.Done)
            throw bucket.Faults.Of(new IOException($"The multipart upload {_upload} could not be ended ({end})."));
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

    private IEnumerable<string> RestKeys()
        => new[] { _saved.Rest, _saved.OldRest }.OfType<string>().Select(name => S3Layout.Rest(session.Id, name));

    private void DropHash()
    {
        _hash?.Dispose();
        _hash = null;
    }
}
