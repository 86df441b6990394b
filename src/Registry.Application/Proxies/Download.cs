using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using Registry.Application.Blobs;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>One blob on its way from an upstream into the store and to whoever wants it meanwhile.</summary>
internal sealed partial class Download(
    RepositoryIdentity repository, Digest digest, RegistrySettings settings, IUpstream upstream, IBlobStore store,
    IBlobLinks links, Absences absences, CacheGrowth growth, TimeProvider time, ILogger<Download> logger)
{
    // Connections that break without a byte having come, one behind the other.
    private const int MaxFailures = 4;

    private const int MaxSources = 10;

    private readonly TaskCompletionSource<IReadOnlyList<OciError>?> _begun
        = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _lock = new();
    private IArrivingBlob? _arriving;
    private volatile OciError? _failure;

    public Task Ended { get; private set; } = Task.CompletedTask;

    public void Begin(Action ended, CancellationToken cancellationToken)
        => Ended = Task.Run(
            async () =>
            {
                try
                {
                    await RunAsync(cancellationToken);
                }
                catch (Exception cause)
                {
                    _begun.TrySetException(cause);
                    if (!cancellationToken.IsCancellationRequested)
                        Log.Failed(logger, repository, digest, cause.Message, cause);
                }
                finally
                {
                    ended();
                    _begun.TrySetResult(null);
                }
            },
            CancellationToken.None);

    /// <summary>
    /// The bytes, those included that are still to come; null when the blob has arrived, or nothing more of it will.
    /// </summary>
    /// <exception cref="StorageException">The store could not take it.</exception>
    public async Task<Result<IBlobContent?>> OpenReadAsync(CancellationToken cancellationToken)
    {
        if (await _begun.Task.WaitAsync(cancellationToken) is { } errors)
            return Result<IBlobContent?>.Refused(errors);
        lock (_lock)
            return Result<IBlobContent?>.Of(_arriving is null ? null : new ReadAlong(_arriving.OpenRead(), this));
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        if (await links.FindAsync(repository, digest, cancellationToken) is not null
            || await TryLinkAsync(cancellationToken))
            return;
        // Another download may have failed since it was looked for.
        if (absences.Find(repository, digest) is { } absence)
        {
            _begun.TrySetResult([absence]);
            return;
        }

        var opened = await upstream.OpenBlobAsync(repository.Name, digest, offset: 0, cancellationToken);
        if (!opened.TryGet(out var source, out var errors))
        {
            Refuse(errors);
            return;
        }

        try
        {
            await using var arriving = await store.ReceiveAsync(
                digest, source.Size, cached: true, cancellationToken);
            _arriving = arriving;
            _begun.TrySetResult(null);
            try
            {
                await FetchAsync(arriving, source, cancellationToken);
            }
            finally
            {
                lock (_lock)
                    _arriving = null;
            }
        }
        finally
        {
            source.Dispose();
        }
    }

    private async Task FetchAsync(IArrivingBlob arriving, UpstreamBlob first, CancellationToken cancellationToken)
    {
        var (source, failures) = (first, 0);
        while (true)
        {
            var before = arriving.Arrived;
            var complete = await arriving.AppendAsync(source.Content, cancellationToken);
            if (source != first)
                source.Dispose();
            if (complete)
                break;

            failures = arriving.Arrived > before ? 1 : failures + 1;
            if (failures > MaxFailures)
            {
                Fail(OciError.UpstreamFault(settings.Upstream, "broke off again and again"));
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100 << failures), time, cancellationToken);
            var opened = await upstream.OpenBlobAsync(repository.Name, digest, arriving.Arrived, cancellationToken);
            if (!opened.TryGet(out var next, out var errors))
            {
                Fail(errors[0]);
                return;
            }

            if (next.Size != first.Size)
            {
                next.Dispose();
                Fail(OciError.UpstreamFault(settings.Upstream, "told two lengths of one blob"));
                return;
            }

            source = next;
        }

        // What has come whole is kept, also when the server stops.
        if (await arriving.PublishAsync(CancellationToken.None) is not { } stored)
        {
            Fail(NotWhat());
            return;
        }

        var taken = await links.AddCachedAsync(repository, stored, CancellationToken.None);
        growth.Note(repository.Registry, stored.Size);
        if (!taken) // it came another way too
            await store.RemoveCachedAsync(digest, stored.Location, CancellationToken.None);
    }

    // The bytes may be here because another repository has them: then it is enough that the upstream says that this one
    // has them too.
    private async Task<bool> TryLinkAsync(CancellationToken cancellationToken)
    {
        var sources = await links.ListRepositoriesAsync(digest, MaxSources, cancellationToken);
        if (sources.Count == 0)
            return false;
        var found = await upstream.FindBlobAsync(repository.Name, digest, cancellationToken);
        if (!found.TryGet(out var size, out _))
            return false;
        foreach (var source in sources)
        {
            if (!await links.MountAsync(source, repository, digest, store.Name, cancellationToken))
                continue;
            growth.Note(repository.Registry, size);
            return true;
        }

        return false;
    }

    private OciError NotWhat() => OciError.UpstreamFault(settings.Upstream, $"did not send what {digest} is");

    private void Refuse(IReadOnlyList<OciError> errors)
    {
        if (errors[0].Reason is ErrorReason.NotFound)
            absences.Note(repository, digest, errors[0]);
        _begun.TrySetResult(errors);
    }

    private void Fail(OciError error)
    {
        _failure = error;
        absences.Note(repository, digest, error);
        Log.Failed(logger, repository, digest, error.Message, null);
    }

    /// <summary>Tells its reader, if it has got nothing yet, why nothing more comes.</summary>
    private sealed class ReadAlong(IBlobContent content, Download download) : IBlobContent
    {
        public long Size => content.Size;

        public Uri? Address => content.Address;

        public async Task CopyToAsync(PipeWriter destination, ByteRange range, CancellationToken cancellationToken)
        {
            try
            {
                await content.CopyToAsync(destination, range, cancellationToken);
            }
            catch (IOException cause)
            {
                throw new StorageException(download._failure ?? download.NotWhat(), cause);
            }
        }

        public ValueTask DisposeAsync() => content.DisposeAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The blob {Digest} of {Repository} was not kept: {Problem}")]
        public static partial void Failed(
            ILogger logger, RepositoryIdentity repository, Digest digest, string problem, Exception? cause);
    }
}
