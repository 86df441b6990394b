using System.Text;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

internal sealed class FileSystemManifestArchive(FileSystemLayout layout, DurableFiles files, StoreFaults faults)
    : IManifestArchive
{
    public Task PutManifestAsync(
        RepositoryIdentity repository, Digest digest, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        return DoAsync(() =>
        {
            // The bytes first: a link never leads nowhere.
            files.Write(layout.BlobPath(digest), content, shared: true);
            files.Write(layout.RevisionPath(repository, digest), Link(digest), shared: false);
        });
    }

    public Task RemoveManifestAsync(RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
        => DoAsync(() => files.Delete(Path.GetDirectoryName(layout.RevisionPath(repository, digest))!));

    public Task PutTagAsync(RepositoryIdentity repository, Tag tag, Digest digest, CancellationToken cancellationToken)
    {
        return DoAsync(() =>
        {
            files.Write(layout.TagIndexPath(repository, tag, digest), Link(digest), shared: false);
            files.Write(layout.CurrentTagPath(repository, tag), Link(digest), shared: false);
        });
    }

    public Task RemoveTagAsync(RepositoryIdentity repository, Tag tag, CancellationToken cancellationToken)
        => DoAsync(() => files.Delete(layout.TagPath(repository, tag)));

    public Task FlushAsync(CancellationToken cancellationToken) => DoAsync(files.Flush);

    private static byte[] Link(Digest digest) => Encoding.ASCII.GetBytes(digest.ToString());

    private Task DoAsync(Action change)
    {
        faults.Guard(change);
        return Task.CompletedTask;
    }
}
