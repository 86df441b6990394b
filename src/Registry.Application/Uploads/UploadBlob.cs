using MediatR;
using Registry.Application.Blobs;
using Registry.Application.Pipeline;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>Takes a whole blob in one request, without a session (distribution-spec, end-4b).</summary>
/// <param name="Content">Read once, to its end, never buffered. The caller owns it.</param>
public sealed record UploadBlobCommand(
    RepositoryIdentity Repository, Principal Owner, Digest Digest, Stream Content)
    : IRequest<Result<Digest>>, IPush;

internal sealed class UploadBlobHandler(
    IBlobLinks links, RegistryMap registries, UploadOptions options, TimeProvider time)
    : IRequestHandler<UploadBlobCommand, Result<Digest>>
{
    public async Task<Result<Digest>> Handle(UploadBlobCommand command, CancellationToken cancellationToken)
    {
        var store = registries.StoreOf(command.Repository.Registry);
        // No row and no claim: nobody else ever hears of this session.
        var session = UploadSession.Open(
            command.Repository, store.Name, command.Owner.Name, command.Digest.Algorithm,
            time.GetUtcNow() + options.Expiry);
        await using var staged = await store.Staging.OpenAsync(session, cancellationToken);
        var published = false;
        try
        {
            var received = await staged.AppendAsync(
                command.Content, command.Digest.Algorithm, final: true, cancellationToken);
            if (received is not { Complete: true })
                return OciError.BodyIncomplete();
            if (await staged.PublishAsync(command.Digest, received.Offset, cancellationToken) is not { } location)
                return OciError.DigestMismatch(command.Digest);

            // Once the bytes have their place, a client that goes away must not leave them without their row.
            published = true;
            await links.AddAsync(
                command.Repository,
                new(store.Name, command.Digest, location, received.Offset),
                session: null,
                CancellationToken.None);
            return command.Digest;
        }
        finally
        {
            if (!published)
                await staged.DiscardAsync();
        }
    }
}
