using Microsoft.Extensions.Logging;
using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

/// <summary>Blobs as files of one folder. <see cref="FileSystemLayout"/> draws it.</summary>
internal sealed class FileSystemBlobStore : IStoreAdapter, IDisposable
{
    private readonly FileSystemLayout _layout;
    private readonly DurableFiles _files;
    private readonly StoreFaults _faults;
    private readonly StoreGuard _guard;
    private readonly FileSystemStaging _staging;
    private FileStream? _held;

    public FileSystemBlobStore(
        string name, StoreOptions options, ILogger<FileSystemBlobStore> logger, TimeProvider time)
    {
        if (string.IsNullOrWhiteSpace(options.Root))
            throw new StartRefusedException($"Registry:Stores:{name}:Root is empty: name the folder for the blobs.");

        Name = name;
        _layout = new(options.Root, options.Staging);
        _files = new(_layout);
        _faults = new(name);
        _guard = new(name, _layout, _files, logger, time);
        _staging = new(_layout, _files, _faults, logger);
        Manifests = new FileSystemManifestArchive(_layout, _files, _faults);
    }

    public string Name { get; }

    public IUploadStaging Staging => _staging;

    public IManifestArchive Manifests { get; }

    public Task<string> PrepareAsync(string? known, CancellationToken cancellationToken)
    {
        var mark = _guard.Prepare(known);
        _files.Prepare();
        return Task.FromResult(mark);
    }

    public void Hold() => _held = _guard.Hold();

    public void Dispose()
    {
        _held?.Dispose();
        _files.Dispose();
    }

    public Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            _files.ThrowIfDetached();
            return Task.FromResult<string?>(null);
        }
        catch (IOException cause)
        {
            return Task.FromResult<string?>(_faults.Of(cause).Error.Message);
        }
    }

    public async Task<IArrivingBlob> ReceiveAsync(
        Digest digest, long size, bool cached, CancellationToken cancellationToken)
    {
        var staged = _staging.Begin();
        try
        {
            var (writing, reading) = staged.Create();
            return new FileSystemArrival(
                staged, new(writing, reading, digest, size, durable: true, _faults), Name, digest, cached);
        }
        catch
        {
            await staged.DiscardAsync();
            await staged.DisposeAsync();
            throw;
        }
    }

    public Task<IBlobContent?> OpenAsync(StoredBlob blob, ByteRange? part, CancellationToken cancellationToken)
        => Task.FromResult(_faults.Guard<IBlobContent?>(() => Open(blob)));

    public bool IsCached(Digest digest, string location) => _layout.LocateCached(location, digest) is not null;

    public Task RemoveCachedAsync(Digest digest, string location, CancellationToken cancellationToken)
    {
        if (_layout.LocateCached(location, digest) is { } path)
            _faults.Guard(() => _files.Delete(path));
        return Task.CompletedTask;
    }

    public IAsyncEnumerable<CachedLocation> ListCachedAsync(DateTimeOffset time, CancellationToken cancellationToken)
        => ListCached(time).ToAsyncEnumerable();

    private IEnumerable<CachedLocation> ListCached(DateTimeOffset time)
    {
        var folder = new DirectoryInfo(_layout.Cached);
        if (!folder.Exists)
            yield break;

        using var entries = _faults.Guard(
            () => folder.EnumerateFiles("*", SearchOption.AllDirectories).GetEnumerator());
        while (_faults.Guard(entries.MoveNext))
        {
            var file = entries.Current;
            if (file.LastWriteTimeUtc < time.UtcDateTime && file.Directory?.Parent?.Name is { } algorithm
                && FileSystemLayout.CachedOf(algorithm, file.Name) is { } cached)
                yield return cached;
        }
    }

    private FileSystemBlobContent? Open(StoredBlob blob)
    {
        if (_layout.Locate(blob.Location, blob.Digest) is not { } path)
            return null;

        if (NativeFiles.TryOpenToRead(path, out var length) is not { } file)
        {
            _files.ThrowIfDetached();
            return null;
        }

        if (length == blob.Size)
            return new(file, length, _faults);
        file.Dispose();
        return null;
    }
}
