using MediatR;
using Registry.Application.Access;
using Registry.Application.Groups;
using Registry.Application.Pipeline;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Blobs;

/// <summary>
/// Makes a blob of another repository a blob of this one without sending it (distribution-spec, end-11). Refused alike,
/// as unknown, whether the blob is missing or in a repository that the principal may not read.
/// </summary>
/// <param name="From">The repository to take it from; null takes it from any that the principal may read.</param>
public sealed record MountBlobCommand(
    RepositoryIdentity Repository, Digest Digest, RepositoryIdentity? From, Principal Principal)
    : IRequest<Result<Digest>>, IPush;

internal sealed class MountBlobHandler(
    IBlobLinks links, IAccessPolicy access, RegistryMap registries, GroupMembers members)
    : IRequestHandler<MountBlobCommand, Result<Digest>>
{
    // A blob that more repositories share is common enough to be found among the first.
    private const int CandidateLimit = 100;

    public async Task<Result<Digest>> Handle(MountBlobCommand command, CancellationToken cancellationToken)
    {
        var store = registries.StoreOf(command.Repository.Registry).Name;
        IEnumerable<RepositoryIdentity> candidates = command.From is not { } from
            ? (await links.ListRepositoriesAsync(command.Digest, CandidateLimit, cancellationToken)).Where(MayPull)
            : MayPull(from) ? members.OfReadable(from, command.Principal)
            : [];

        foreach (var source in candidates)
        {
            if (await links.MountAsync(source, command.Repository, command.Digest, store, cancellationToken))
                return command.Digest;
        }

        return OciError.BlobUnknown(command.Digest);

        bool MayPull(RepositoryIdentity source) => access.Allows(command.Principal, source, RegistryAction.Pull);
    }
}
