using MediatR;
using Registry.Application.Pipeline;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>Opens an upload session (distribution-spec, end-4a and end-4c).</summary>
/// <param name="Algorithm">What the upload will be closed with, as far as the client said.</param>
public sealed record StartUploadCommand(RepositoryIdentity Repository, Principal Owner, DigestAlgorithm Algorithm)
    : IRequest<Result<UploadProgress>>, IPush;

internal sealed class StartUploadHandler(
    IUploadSessions sessions, RegistryMap registries, UploadOptions options, TimeProvider time)
    : IRequestHandler<StartUploadCommand, Result<UploadProgress>>
{
    public async Task<Result<UploadProgress>> Handle(StartUploadCommand command, CancellationToken cancellationToken)
    {
        var session = UploadSession.Open(
            command.Repository,
            registries.StoreOf(command.Repository.Registry).Name,
            command.Owner.Name,
            command.Algorithm,
            time.GetUtcNow() + options.Expiry);
        await sessions.StartAsync(session, cancellationToken);
        return new UploadProgress(session.Id, 0);
    }
}
