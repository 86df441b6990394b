using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>A session and its bytes, held by this request alone until disposed.</summary>
internal sealed class OpenUpload(IUploadClaim claim, IStagedUpload staged, CancellationToken cancellationToken)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop
        = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, claim.Lost);

    public UploadSession Session => claim.Session;

    public IStagedUpload Staged => staged;

    /// <summary>Cancelled when the client has gone, and when the claim is lost.</summary>
    public CancellationToken Stop => _stop.Token;

    public void Settle() => claim.Settle();

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        try
        {
            await staged.DisposeAsync(); // the bytes first: whoever claims the session next will open them
        }
        finally
        {
            await claim.DisposeAsync();
        }
    }

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
        => claim.Lost.IsCancellationRequested ? OciError.UploadBusy(Session.Offset)
            : !received.Complete ? OciError.BodyIncomplete()
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
        var claimed = await ClaimAsync(repository, owner, id, cancellationToken);
        if (!claimed.TryGet(out var claim, out var errors))
            return Result<OpenUpload>.Refused(errors);

        try
        {
            var store = registries.StoreOf(repository.Registry);
            if (claim.Session.Store != store.Name)
                return OciError.UploadUnknown(id);

            var staged = await store.Staging.OpenAsync(claim.Session, cancellationToken);
            var open = new OpenUpload(claim, staged, cancellationToken);
            claim = null;
            return open;
        }
        finally
        {
            if (claim is not null)
                await claim.DisposeAsync();
        }
    }

    // A client that comes back after a broken connection may be faster than the end of the request that it broke.
    private async Task<Result<IUploadClaim>> ClaimAsync(
        RepositoryIdentity repository, Principal owner, UploadId id, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            if (await sessions.ClaimAsync(repository, owner.Name, id, cancellationToken) is { } claim)
                return Result<IUploadClaim>.Of(claim);
            if (await sessions.FindAsync(repository, id, cancellationToken) is not { } session
                || session.Owner != owner.Name)
                return OciError.UploadUnknown(id);
            if (tries == MaxTries)
                return OciError.UploadBusy(session.Offset);
            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
