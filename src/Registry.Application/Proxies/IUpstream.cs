using Registry.Application.Manifests;
using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// Another registry, asked over the distribution API. Names are those that the upstream knows.
/// </summary>
/// <remarks>
/// What the upstream does not have, or says that it does not show, is refused with <see cref="ErrorReason.NotFound"/>:
/// with <see cref="OciError.MayExist"/> when it does not show it, or a manifest's 404 is not in a registry's words.
/// Everything else that goes wrong there is an <see cref="ErrorReason.UpstreamFault"/>,
/// <see cref="ErrorReason.Unavailable"/> or <see cref="ErrorReason.TooOften"/>, never "not found". Nothing is sent to
/// an upstream that has failed often or has asked to be left alone, until its time has come.
/// </remarks>
public interface IUpstream
{
    /// <summary>
    /// What a tag or digest names, without the manifest's bytes (HEAD): its digest. Where the upstream does not say, it
    /// is null, and the manifest must be fetched; also to be certain that it is not there, which this cannot tell.
    /// </summary>
    Task<Result<Digest?>> FindManifestAsync(
        RepositoryName repository, Reference reference, CancellationToken cancellationToken);

    /// <summary>A manifest, which has the digest asked for, or the one the upstream says it has.</summary>
    Task<Result<StoredManifest>> GetManifestAsync(
        RepositoryName repository, Reference reference, CancellationToken cancellationToken);

    /// <summary>How long a blob is (HEAD), in bytes.</summary>
    Task<Result<long>> FindBlobAsync(RepositoryName repository, Digest digest, CancellationToken cancellationToken);

    /// <summary>A blob's bytes from <paramref name="offset"/> on. The caller disposes.</summary>
    Task<Result<UpstreamBlob>> OpenBlobAsync(
        RepositoryName repository, Digest digest, long offset, CancellationToken cancellationToken);

    /// <summary>
    /// What refers to a digest, all of it; from the tag that stands for it (distribution-spec, "Referrers Tag Schema")
    /// where the upstream has no referrers API.
    /// </summary>
    Task<Result<IReadOnlyList<Referrer>>> ListReferrersAsync(
        RepositoryName repository, Digest subject, CancellationToken cancellationToken);
}

/// <summary>The bytes of a blob as they come.</summary>
/// <param name="size">Of the whole blob, in bytes.</param>
/// <param name="content">
/// Fails with <see cref="IOException"/> when the connection breaks, or nothing comes for too long.
/// </param>
/// <param name="owner">Ends with it.</param>
public sealed class UpstreamBlob(long size, Stream content, IDisposable owner) : IDisposable
{
    public long Size => size;

    public Stream Content => content;

    public void Dispose() => owner.Dispose();
}

/// <summary>The upstreams of the proxy registries.</summary>
public interface IUpstreams
{
    /// <summary>The upstream of a registry, which must be a proxy.</summary>
    IUpstream Of(RegistryName registry);
}
