using System.IO.Pipelines;
using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>The store as the use cases call it.</summary>
internal static class StoreUsage
{
    public static Digest DigestOf(byte[] content, DigestAlgorithm? algorithm = null)
        => Digest.Of(content, algorithm ?? DigestAlgorithm.Sha256);

    /// <summary>Pushes content in one piece.</summary>
    public static async Task<StoredBlob> PushAsync(this IBlobStore store, byte[] content, DigestAlgorithm? algorithm = null)
    {
        return await new Upload().FinishAsync(store, content, DigestOf(content, algorithm))
            ?? throw new InvalidOperationException("The store does not take its content.");
    }

    /// <summary>Appends the last chunk and publishes; null when the digest does not fit.</summary>
    public static async Task<StoredBlob?> FinishAsync(
        this IStagedUpload upload, IBlobStore store, byte[] content, Digest digest)
    {
        var appended = await upload.AppendAsync(
            new MemoryStream(content), digest.Algorithm, final: true, CancellationToken.None);
        Assert.NotNull(appended);
        Assert.True(appended.Complete);
        return await upload.PublishAsync(digest, appended.Offset, CancellationToken.None) is { } location
            ? new(store.Name, digest, location, appended.Offset)
            : null;
    }

    public static async Task<byte[]?> ReadAsync(this IBlobStore store, StoredBlob blob)
    {
        await using var content = await store.OpenAsync(blob, part: null, CancellationToken.None);
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

/// <summary>A session as the use cases keep it, in place of its row.</summary>
internal sealed class Upload
{
    public UploadSession Session { get; private set; } = Samples.Session(DateTimeOffset.MaxValue);

    public UploadId Id => Session.Id;

    /// <summary>The same session where the row says another offset than the store.</summary>
    public Upload At(long offset) => At(offset, Session.State);

    /// <summary>The same session where the row has another state too.</summary>
    public Upload At(long offset, string? state)
        => new() { Session = Session with { Offset = offset, State = state } };

    public Task<IStagedUpload> OpenAsync(IBlobStore store) => store.Staging.OpenAsync(Session, CancellationToken.None);

    /// <summary>Appends a chunk in a request of its own; the session moves with it.</summary>
    public async Task<(long Offset, bool Complete)?> AppendAsync(IBlobStore store, byte[] content)
        => await AppendAsync(store, new MemoryStream(content));

    /// <inheritdoc cref="AppendAsync(IBlobStore, byte[])"/>
    public async Task<(long Offset, bool Complete)?> AppendAsync(
        IBlobStore store, Stream content, CancellationToken cancellationToken = default)
    {
        await using var staged = await OpenAsync(store);
        if (await staged.AppendAsync(content, Session.Algorithm, final: false, cancellationToken) is not { } appended)
            return null;
        Session = Session with { Offset = appended.Offset, State = appended.State, Version = Session.Version + 1 };
        return (appended.Offset, appended.Complete);
    }

    /// <summary>Appends a chunk that does not count in the end: the session stays where it stands.</summary>
    public async Task AppendInVainAsync(IBlobStore store, byte[] content)
    {
        await using var staged = await OpenAsync(store);
        Assert.NotNull(await staged.AppendAsync(
            new MemoryStream(content), Session.Algorithm, final: false, CancellationToken.None));
    }

    /// <summary>Appends the last chunk and publishes, in one request; null when the digest does not fit.</summary>
    public async Task<StoredBlob?> FinishAsync(IBlobStore store, byte[] content, Digest digest)
    {
        await using var staged = await OpenAsync(store);
        return await staged.FinishAsync(store, content, digest);
    }
}
