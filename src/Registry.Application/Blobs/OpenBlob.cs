using MediatR;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Blobs;

/// <summary>
/// A blob's bytes (distribution-spec, end-2, GET), opened and of the right length before anybody says 200. The caller
/// disposes.
/// </summary>
/// <param name="Range">The part that is asked for; null for all of it.</param>
public sealed record OpenBlobQuery(RepositoryIdentity Repository, Digest Digest, RequestedRange? Range)
    : IRequest<Result<OpenedBlob>>;

/// <param name="Part">The bytes that are asked for; null when all are, or none of those asked for is there.</param>
public sealed record OpenedBlob(Digest Digest, IBlobContent Content, ByteRange? Part);

internal sealed class OpenBlobHandler(IBlobLinks links, IBlobStores stores)
    : IRequestHandler<OpenBlobQuery, Result<OpenedBlob>>
{
    public async Task<Result<OpenedBlob>> Handle(OpenBlobQuery query, CancellationToken cancellationToken)
    {
        if (await links.FindAsync(query.Repository, query.Digest, cancellationToken) is not { } blob)
            return OciError.BlobUnknown(query.Digest);
        if (stores.Find(blob.Store) is not { } store)
            return OciError.Unavailable($"store '{blob.Store}'");
        var part = query.Range?.Within(blob.Size);
        if (await store.OpenAsync(blob, part, cancellationToken) is { } content)
            return new OpenedBlob(query.Digest, content, part);

        // From now on HEAD says 404 too, so that a client pushes the blob again and so heals it.
        await links.MarkMissingAsync(blob, CancellationToken.None);
        return OciError.BlobUnknown(query.Digest);
    }
}
