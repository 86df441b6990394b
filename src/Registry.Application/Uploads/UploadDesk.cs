using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>A session and its bytes, held by this request alone until disposed.</summary>
internal sealed record OpenUpload(UploadSession Session, IStagedUpload Staged) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Staged.DisposeAsync();

    /// <summary>
    /// Why a body cannot be taken that says it belongs at <paramref name="range"/>; null when it can.
    /// </summary>
    /// <param name="length">Of the body in bytes, when announced.</param>
    public OciError? Judge(ByteRange? range, long? length)
        => range is not { } declared ? null
            : declared.First != Session.Offset ? OciError.ChunkOutOfOrder(Session.Offset)
            : length is { } announced && announced != declared.Length
                ? OciError.BodyLengthDiffers(declared.Length, announced)
            : null;

    /// <summary>
    /// Why a body that has arrived does not count: it broke off, or is not as long as its range; null when it does.
    /// </summary>
    public OciError? Judge(ByteRange? range, AppendedBytes received)
        => !received.Complete ? OciError.BodyIncomplete()
            : range is { } declared && received.Offset - Session.Offset != declared.Length
                ? OciError.BodyLengthDiffers(declared.Length, received.Offset - Session.Offset)
            : null;
}

/// <summary>Opens a session for the one request that may write to it.</summary>
internal sealed class UploadDesk(IUploadSessions sessions, RegistryMap registries, TimeProvider time)
{
    private const int MaxTries = 10;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    public async Task<Result<OpenUpload>> OpenAsync(
        RepositoryIdentity repository, Principal owner, UploadId id, CancellationToken cancellationToken)
    {
        // First the bytes, then the row: the row that is read under the lock cannot grow old.
        var store = registries.StoreOf(repository.Registry);
        var staged = await TryOpenAsync(store.Staging, id, cancellationToken);
        try
        {
            var session = await sessions.FindAsync(repository, id, cancellationToken);
            if (session is null || session.Owner != owner.Name || session.Store != store.Name)
                return OciError.UploadUnknown(id);
            if (staged is null)
                return OciError.UploadBusy(session.Offset);

            var open = new OpenUpload(session, staged);
            staged = null;
            return open;
        }
        finally
        {
            if (staged is not null)
                await staged.DisposeAsync();
        }
    }

    // A client that comes back after a broken connection may be faster than the end of the request that it broke.
    private async Task<IStagedUpload?> TryOpenAsync(
        IUploadStaging staging, UploadId id, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            if (staging.TryOpen(id) is { } staged)
                return staged;
            if (tries == MaxTries)
                return null;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
