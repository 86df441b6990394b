using Registry.Domain.Errors;

namespace Registry.Infrastructure.S3;

/// <summary>
/// The parts of one upload, which go up while the next one is filled, and their end: also where a request before this
/// one ended the multipart upload, or sent parts that did not count.
/// </summary>
internal sealed class S3Parts(string key, string store, S3Bucket bucket, PiecePool pool)
{
    // Up to here a part has 8 MiB, and three are in memory: one that is filled, two on their way. Behind, a part has 16
    // MiB, and two are in memory, so that 10,000 parts suffice for 128 GiB even where each chunk ends one.
    internal const int SmallParts = 2_000;

    public const long MaxBytes = 128L << 30;

    private const int MaxParts = 10_000;
    private const int SmallPartBytes = 8 << 20;
    private const int LargePartBytes = 16 << 20;

    // The least that a part may have, unless it is the last one.
    private const int MinPartBytes = 5 << 20;

    private const long MaxCopyBytes = 1L << 30;

    private readonly List<StagedPart> _sent = [];
    private readonly Queue<Task<StagedPart>> _sending = [];
    private bool _continued; // the upload was begun by another request, and may have ended since

    /// <summary>Id of the multipart upload; null while there is none.</summary>
    public string? Upload { get; private set; }

    /// <summary>What has arrived, by number from 1.</summary>
    public IReadOnlyList<StagedPart> Sent => _sent;

    public bool Any => _sent.Count + _sending.Count > 0;

    /// <summary>Of all parts, those that are being sent included.</summary>
    public long Bytes { get; private set; }

    /// <summary>The most that the next part may have.</summary>
    public int NextBytes => Next <= SmallParts ? SmallPartBytes : LargePartBytes;

    /// <summary>How much makes a part that need not grow any further.</summary>
    public int EnoughBytes => Next <= SmallParts ? MinPartBytes : LargePartBytes - PiecePool.PieceBytes;

    private int Next => _sent.Count + _sending.Count + 1;

    /// <summary>Takes up what an earlier request has sent.</summary>
    public void Continue(StagedParts saved)
    {
        (Upload, _continued) = (saved.Upload, saved.Upload is not null);
        _sent.AddRange(saved.Parts);
        Bytes = saved.Size - saved.RestBytes;
    }

    /// <summary>
    /// Begins to send the next part; waits until there is room for it. False when the upload has been lost.
    /// </summary>
    /// <param name="part">Is disposed of when it has been sent, unless <paramref name="keep"/>.</param>
    public async Task<bool> TrySendAsync(IPart part, bool keep)
    {
        if (Next > MaxParts)
            throw TooLarge();

        if (_continued)
        {
            _continued = false;
            var etag = await bucket.UploadPartAsync(key, Upload!, Next, part, CancellationToken.None);
            if (etag is not null)
            {
                _sent.Add(new(etag, part.Length));
                Bytes += part.Length;
                if (!keep)
                    part.Dispose();
                return true;
            }

            // Ended by a request before this one, which then did not come to its own end.
            if (!await TryCopyAsync(Bytes))
                return false;
        }

        Upload ??= await bucket.BeginUploadAsync(key, CancellationToken.None);
        while (_sending.Count >= (Next <= SmallParts ? 2 : 1))
            _sent.Add(await _sending.Dequeue());
        Bytes += part.Length;
        _sending.Enqueue(SendAsync(Next, part, keep));
        return true;
    }

    /// <summary>Waits for all parts.</summary>
    public async Task DrainAsync()
    {
        while (_sending.TryDequeue(out var part))
            _sent.Add(await part);
    }

    /// <summary>Waits until nothing is on its way any more, whatever becomes of it.</summary>
    public async Task SettleAsync()
        => await ((Task)Task.WhenAll(_sending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>
    /// Makes the parts an object. Null when the upload has been lost; false when it had ended before, so that only its
    /// length is known.
    /// </summary>
    /// <param name="last">What the last part holds.</param>
    public async Task<bool?> TryEndAsync(PartBuffer last, long size)
    {
        await DrainAsync();
        switch (await bucket.EndUploadAsync(key, Upload!, _sent, CancellationToken.None))
        {
            case UploadEnd.Done:
                return true;
            case UploadEnd.OtherParts:
                await EndWithOthersAsync(last, size);
                return true;
            default:
                using (var whole = await bucket.GetAsync(key, new(0, 0), CancellationToken.None))
                    return whole is not null && S3BlobStore.SizeOf(whole) == size ? false : null;
        }
    }

    public StorageException TooLarge()
        => new(OciError.BlobTooLarge(store, MaxBytes), new IOException("Too many parts."));

    private async Task<StagedPart> SendAsync(int number, IPart part, bool keep)
    {
        try
        {
            var etag = await bucket.UploadPartAsync(key, Upload!, number, part, CancellationToken.None)
                ?? throw bucket.Faults.Of(new IOException($"The multipart upload {Upload} is gone."));
            return new(etag, part.Length);
        }
        finally
        {
            if (!keep)
                part.Dispose();
        }
    }

    // Begins the upload anew, from the first bytes of the object that stands at its key.
    private async Task<bool> TryCopyAsync(long size)
    {
        using (var whole = await bucket.GetAsync(key, new(0, 0), CancellationToken.None))
        {
            if (whole is null || S3BlobStore.SizeOf(whole) < size)
                return false;
        }

        var upload = await bucket.BeginUploadAsync(key, CancellationToken.None);
        var copies = new List<StagedPart>();
        var count = (size + MaxCopyBytes - 1) / MaxCopyBytes;
        for (var copy = 0L; copy < count; copy++)
        {
            var (first, behind) = (size * copy / count, size * (copy + 1) / count);
            var etag = await bucket.CopyPartAsync(
                key, new(first, behind - 1), key, upload, copies.Count + 1, CancellationToken.None);
            copies.Add(new(etag, behind - first));
        }

        Upload = upload;
        _sent.Clear();
        _sent.AddRange(copies);
        return true;
    }

    // A request whose bytes did not count may have sent more parts than this one. Where a server insists on all of
    // them, they become part of an object of which the beginning is then copied.
    private async Task EndWithOthersAsync(PartBuffer last, long size)
    {
        var all = await bucket.ListPartsAsync(key, Upload!, CancellationToken.None);
        if (_sent[^1].Size < MinPartBytes)
        {
            while (last.Length < MinPartBytes)
                last.Add(pool.Rent(), PiecePool.PieceBytes);
            var etag = await bucket.UploadPartAsync(key, Upload!, _sent.Count, last, CancellationToken.None)
                ?? throw bucket.Faults.Of(new IOException($"The multipart upload {Upload} is gone."));
            _sent[^1] = new(etag, last.Length);
        }

        await EndOrThrowAsync([.. _sent, .. all.Skip(_sent.Count)]);
        if (!await TryCopyAsync(size))
            throw bucket.Faults.Of(new IOException($"The object {key} is gone."));
        await EndOrThrowAsync(_sent);
    }

    private async Task EndOrThrowAsync(IReadOnlyList<StagedPart> parts)
    {
        if (await bucket.EndUploadAsync(key, Upload!, parts, CancellationToken.None) is var end
            && end is not UploadEnd.Done)
            throw bucket.Faults.Of(new IOException($"The multipart upload {Upload} could not be ended ({end})."));
    }
}
