using Registry.Application.Stores;

namespace Registry.Infrastructure.Stores;

/// <summary>A store with what the server itself needs of it, beside the port of the use cases.</summary>
internal interface IStoreAdapter : IBlobStore
{
    IManifestArchive Manifests { get; }

    /// <summary>Makes the store ready for use, once, before the first request.</summary>
    /// <param name="known">
    /// The mark it must carry, for the database has seen it there; null when it is new to the database.
    /// </param>
    /// <returns>The mark it carries.</returns>
    /// <exception cref="StartRefusedException">The store cannot or must not be used.</exception>
    Task<string> PrepareAsync(string? known, CancellationToken cancellationToken);

    /// <summary>Keeps other processes out, where a store is for one alone.</summary>
    /// <exception cref="StartRefusedException">Another process has it.</exception>
    void Hold();

    /// <summary>Null while the store can be used, otherwise why not.</summary>
    Task<string?> FindProblemAsync(CancellationToken cancellationToken);
}
