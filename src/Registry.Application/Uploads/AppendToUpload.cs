using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>Adds the next chunk to an upload session (distribution-spec, end-5).</summary>
/// <param name="Range">Where the chunk belongs, from Content-Range; null when the client just streams.</param>
/// <param name="Content">Read once, to its end, never buffered. The caller owns it.</param>
/// <param name="Length">In bytes, when announced.</param>
public sealed record AppendToUploadCommand(
    RepositoryIdentity Repository, Principal Owner, UploadId Id, ByteRange? Range, Stream Content, long? Length)
    : IRequest<Result<UploadProgress>>;

internal sealed class AppendToUploadHandler(
    UploadDesk desk, IUploadSessions sessions, UploadOptions options, TimeProvider time)
    : IRequestHandler<AppendToUploadCommand, Result<UploadProgress>>
{
    public async Task<Result<UploadProgress>> Handle(AppendToUploadCommand command, CancellationToken cancellationToken)
    {
        var opened = await desk.OpenAsync(command.Repository, command.Owner, command.Id, cancellationToken);
        if (!opened.TryGet(out var upload, out var errors))
            return Result<UploadProgress>.Refused(errors);
        await using var _ = upload;

        var session = upload.Session;
        if (upload.Judge(command.Range, command.Length) is { } misplaced)
            return misplaced;

        var appended = await upload.Staged.AppendAsync(
            command.Content, session.Algorithm, final: false, upload.Stop);
        if (appended is null)
        {
            await sessions.RemoveAsync(command.Repository, session.Owner, command.Id, cancellationToken);
            return OciError.UploadUnknown(command.Id);
        }

        // A declared range is stored whole or not at all; a stream keeps what arrived, so that its client can go on
        // from there.
        var refusal = upload.Judge(command.Range, appended);
        if (command.Range is not null && refusal is not null)
            return refusal;

        // The client of a broken stream is gone, what it sent counts all the same: no cancellation from here on.
        if (!await sessions.AdvanceAsync(session, appended, time.GetUtcNow() + options.Expiry, CancellationToken.None))
        {
            if (await sessions.ExistsAsync(command.Id, CancellationToken.None))
                return OciError.UploadBusy(session.Offset); // another request has taken it over, bytes and all
            await upload.Staged.DiscardAsync();
            return OciError.UploadUnknown(command.Id);
        }

        upload.Settle();
        return refusal is null ? new UploadProgress(command.Id, appended.Offset)
            : refusal.Offset is null ? refusal
            : refusal with { Offset = appended.Offset };
    }
}
