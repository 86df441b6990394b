using System.Text;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

internal sealed class S3ManifestArchive(S3Bucket bucket) : IManifestArchive
{
    public async Task PutManifestAsync(
        RepositoryIdentity repository, Digest digest, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        // The bytes first: a link never leads nowhere.
        var bytes = content.ToArray();
        await bucket.PutAsync(StoreLayout.BlobLocation(digest), () => new MemoryStream(bytes), cancellationToken);
        await LinkAsync(StoreLayout.Revision(repository, digest), digest, cancellationToken);
    }

    public Task RemoveManifestAsync(RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
        => bucket.DeleteAsync(StoreLayout.Revision(repository, digest), cancellationToken);

    public async Task PutTagAsync(
        RepositoryIdentity repository, Tag tag, Digest digest, CancellationToken cancellationToken)
    {
        await LinkAsync(StoreLayout.TagIndex(repository, tag, digest), digest, cancellationToken);
        await LinkAsync(StoreLayout.CurrentTag(repository, tag), digest, cancellationToken);
    }

    public async Task RemoveTagAsync(RepositoryIdentity repository, Tag tag, CancellationToken cancellationToken)
    {
        await foreach (var (key, _) in bucket.ListAsync($"{StoreLayout.Tag(repository, tag)}/", cancellationToken))
            await bucket.DeleteAsync(key, cancellationToken);
    }

    /// <summary>What the server has answered is durable.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private Task LinkAsync(string key, Digest digest, CancellationToken cancellationToken)
    {
        var link = Encoding.ASCII.GetBytes(digest.ToString());
        return bucket.PutAsync(key, () => new MemoryStream(link), cancellationToken);
    }
}
