using MediatR;
using Registry.Application.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Blobs;

/// <summary>Takes a blob out of a repository (distribution-spec, end-10); other repositories keep it.</summary>
public sealed record DeleteBlobCommand(RepositoryAddress Repository, Digest Digest) : IRequest<Result<Unit>>;

internal sealed class DeleteBlobHandler(IBlobLinks links, DeleteOptions options)
    : IRequestHandler<DeleteBlobCommand, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(DeleteBlobCommand command, CancellationToken cancellationToken)
    {
        if (!options.Enabled)
            return OciError.DeleteDisabled();
        return await links.RemoveAsync(command.Repository.Identity, command.Digest, cancellationToken)
            ? Unit.Value
            : OciError.BlobUnknown(command.Digest).WhereDeleted(command.Repository);
    }
}
