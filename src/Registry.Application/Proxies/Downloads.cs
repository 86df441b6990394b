using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Registry.Application.Blobs;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// The blobs that are being fetched from upstreams: each once, however many clients want it. They read along while it
/// arrives, and it is kept when none of them waits for it any more.
/// </summary>
internal sealed class Downloads(
    IUpstreams upstreams, IBlobLinks links, RegistryMap registries, ProxyRules rules, Absences absences,
    CacheGrowth growth, TimeProvider time, ILogger<Download> logger)
    : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(RepositoryIdentity, Digest), Lazy<Download>> _running = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>The blob's bytes, those included that are still to come; null when it is in the store by now.</summary>
    public async Task<Result<IBlobContent?>> JoinAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
    {
        var key = (repository, digest);
        var download = _running.GetOrAdd(key, _ => new(() => Start(repository, digest))).Value;
        return await download.OpenReadAsync(cancellationToken);
    }

    /// <summary>
    /// As <see cref="JoinAsync"/>, of a blob that is being fetched already; the outer result is null when it is not.
    /// </summary>
    public async Task<Result<IBlobContent?>?> FindAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
        => _running.TryGetValue((repository, digest), out var download)
            ? await download.Value.OpenReadAsync(cancellationToken)
            : null;

    /// <summary>Breaks off what is still being fetched; nothing of it is kept.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running.Values.Select(download => download.Value.Ended));
        _stop.Dispose();
    }

    private Download Start(RepositoryIdentity repository, Digest digest)
    {
        var download = new Download(
            repository, digest, rules.SettingsOf(repository), upstreams.Of(repository.Registry),
            registries.StoreOf(repository.Registry), links, absences, growth, time, logger);
        download.Begin(ended: () => _running.TryRemove((repository, digest), out _), _stop.Token);
        return download;
    }
}
