using MediatR;
using Registry.Application.Blobs;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>
/// Closes an upload session with the digest of the whole blob (distribution-spec, end-6); the body may bring the last
/// chunk. A refusal leaves the session where it stood.
/// </summary>
/// <param name="Range">Where the body belongs, from Content-Range; null when the client sent none.</param>
/// <param name="Content">Read once, to its end; null without a body.</param>
/// <param name="Length">Of the body in bytes, when announced.</param>
public sealed record CompleteUploadCommand(
    RepositoryIdentity Repository, Principal Owner, UploadId Id, Digest Digest, ByteRange? Range, Stream? Content,
    long? Length)
    : IRequest<Result<Digest>>;

internal sealed class CompleteUploadHandler(UploadDesk desk, IUploadSessions sessions, IBlobLinks links)
    : IRequestHandler<CompleteUploadCommand, Result<Digest>>
{
    public async Task<Result<Digest>> Handle(CompleteUploadCommand command, CancellationToken cancellationToken)
    {
        var opened = await desk.OpenAsync(command.Repository, command.Owner, command.Id, cancellationToken);
        if (!opened.TryGet(out var upload, out var errors))
            return Result<Digest>.Refused(errors);
        await using var _ = upload;

        var session = upload.Session;
        if (upload.Judge(command.Range, command.Length) is { } misplaced)
            return misplaced;

        var appended = await upload.Staged.AppendAsync(
            command.Content ?? Stream.Null, command.Digest.Algorithm, final: true, upload.Stop);
        if (appended is null)
        {
            await sessions.RemoveAsync(command.Repository, session.Owner, command.Id, cancellationToken);
            return OciError.UploadUnknown(command.Id);
        }

        if (upload.Judge(command.Range, appended) is { } refusal)
            return refusal;
        if (await upload.Staged.PublishAsync(command.Digest, appended.Offset, upload.Stop) is not { } location)
            return OciError.DigestMismatch(command.Digest) with { Offset = session.Offset };

        // The bytes have left the upload: a client that goes away now must not leave them without their row.
        var blob = new StoredBlob(session.Store, command.Digest, location, appended.Offset);
        if (!await links.AddAsync(command.Repository, blob, session, CancellationToken.None))
            return OciError.UploadUnknown(command.Id);
        upload.Settle();
        return command.Digest;
    }
}
