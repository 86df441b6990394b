using MediatR;
using Registry.Application.Access;
using Registry.Application.Catalog;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>
/// Deletes a tag, or a manifest with every tag on it (distribution-spec, end-9). Children and blobs stay until they
/// expire.
/// </summary>
public sealed record DeleteManifestCommand(RepositoryAddress Repository, Reference Reference, Principal Principal)
    : IRequest<Result<Unit>>;

internal sealed class DeleteManifestHandler(
    IManifestIndex manifests, ITagIndex tags, ICatalog catalog, DeleteOptions options)
    : IRequestHandler<DeleteManifestCommand, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(DeleteManifestCommand command, CancellationToken cancellationToken)
    {
        if (!options.Enabled)
            return OciError.DeleteDisabled();

        var deleted = command.Reference switch
        {
            Digest digest => await manifests.DeleteAsync(
                command.Repository.Identity, digest, command.Principal, cancellationToken),
            Tag tag => await tags.DeleteAsync(command.Repository.Identity, tag, command.Principal, cancellationToken),
            _ => throw new ArgumentException($"'{command.Reference}' is neither a tag nor a digest.", nameof(command)),
        };
        if (deleted)
            return Unit.Value;
        var unknown = await catalog.ExistsAsync(command.Repository.Identity, cancellationToken)
            ? OciError.ManifestUnknown(command.Reference)
            : OciError.RepositoryUnknown(command.Repository.ClientName);
        return unknown.WhereDeleted(command.Repository);
    }
}
