using Registry.Application.Stores;

namespace Registry.Infrastructure.Stores;

/// <summary>A store with what the server itself needs of it, beside the port of the use cases.</summary>
internal interface IStoreAdapter : IBlobStore
{
    IManifestArchive Manifests { get; }

    /// <summary>Makes the store ready for use, once, before the first request.</summary>
    /// <exception cref="StartRefusedException">The store cannot or must not be used.</exception>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Null while the store can be used, otherwise why not.</summary>
    Task<string?> FindProblemAsync(CancellationToken cancellationToken);
}
