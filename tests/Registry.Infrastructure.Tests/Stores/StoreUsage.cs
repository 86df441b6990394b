using System.IO.Pipelines;
using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>The store as the use cases call it.</summary>
internal static class StoreUsage
{
    public static Digest DigestOf(byte[] content, DigestAlgorithm? algorithm = null)
        => Digest.Of(content, algorithm ?? DigestAlgorithm.Sha256);

    /// <summary>Pushes content in one piece.</summary>
    public static async Task<StoredBlob> PushAsync(this IBlobStore store, byte[] content, DigestAlgorithm? algorithm = null)
    {
        await using var upload = store.Staging.TryOpen(UploadId.Create())!;
        return await upload.FinishAsync(store, 0, content, DigestOf(content, algorithm))
            ?? throw new InvalidOperationException("The store does not take its content.");
    }

    public static Task<AppendedBytes?> AppendAsync(this IStagedUpload upload, long offset, byte[] content)
        => upload.AppendAsync(offset, new MemoryStream(content), DigestAlgorithm.Sha256, CancellationToken.None);

    /// <summary>Appends one chunk in a request of its own.</summary>
    public static async Task<AppendedBytes?> AppendAsync(this IBlobStore store, UploadId id, long offset, byte[] content)
    {
        await using var upload = store.Staging.TryOpen(id)!;
        return await upload.AppendAsync(offset, content);
    }

    /// <summary>Appends the last chunk and publishes; null when the digest does not fit.</summary>
    public static async Task<StoredBlob?> FinishAsync(
        this IStagedUpload upload, IBlobStore store, long offset, byte[] content, Digest digest)
    {
        var appended = await upload.AppendAsync(offset, new MemoryStream(content), digest.Algorithm, CancellationToken.None);
        Assert.NotNull(appended);
        Assert.True(appended.Complete);
        return await upload.PublishAsync(digest, appended.Offset, CancellationToken.None) is { } location
            ? new(store.Name, digest, location, appended.Offset)
            : null;
    }

    /// <summary>The same, in a request of its own.</summary>
    public static async Task<StoredBlob?> FinishAsync(this IBlobStore store, UploadId id, long offset, byte[] content, Digest digest)
    {
        await using var upload = store.Staging.TryOpen(id)!;
        return await upload.FinishAsync(store, offset, content, digest);
    }

    public static async Task<byte[]?> ReadAsync(this IBlobStore store, StoredBlob blob)
    {
        await using var content = await store.OpenAsync(blob, CancellationToken.None);
        if (content is null)
            return null;
        Assert.Equal(blob.Size, content.Size);
        return blob.Size == 0 ? [] : await content.ReadAsync(new(0, blob.Size - 1));
    }

    public static async Task<byte[]> ReadAsync(this IBlobContent content, ByteRange range)
    {
        using var sink = new MemoryStream();
        var writer = PipeWriter.Create(sink);
        await content.CopyToAsync(writer, range, CancellationToken.None);
        await writer.CompleteAsync();
        return sink.ToArray();
    }
}
