using System.Collections.Concurrent;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// Remembers which manifests were pulled through proxies, so that no pull waits for a write, until somebody writes it
/// down. What a killed process has not written is forgotten.
/// </summary>
public sealed class ManifestPulls(ICachedContent content, TimeProvider time)
{
    // Whatever is pulled beyond that before the next writing counts as not pulled.
    private const int MaxEntries = 50_000;

    private const int BatchSize = 500;

    private readonly ConcurrentDictionary<(RepositoryIdentity, Digest), long> _pulls = [];

    public void Note(RepositoryIdentity repository, Digest manifest)
    {
        var key = (repository, manifest);
        if (_pulls.ContainsKey(key) || _pulls.Count < MaxEntries)
            _pulls[key] = time.GetTimestamp();
    }

    /// <summary>Writes down what was noted up to now.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        foreach (var batch in _pulls.ToArray().Chunk(BatchSize))
        {
            await content.MarkPulledAsync(
                [
                    .. batch.Select(pull => new PulledManifest(
                        pull.Key.Item1, pull.Key.Item2, time.GetElapsedTime(pull.Value))),
                ],
                cancellationToken);
            foreach (var pull in batch)
                _pulls.TryRemove(pull); // unless it was pulled again meanwhile
        }
    }
}
