using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Registry.Application.Uploads;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.FileSystem;

internal sealed class FileSystemStaging(FileSystemLayout layout, DurableFiles files, StoreFaults faults, ILogger logger)
    : IUploadStaging
{
    private const int KeptHashes = 4096;

    // Within the process this decides who writes; between processes the lock on the opened file does.
    private readonly ConcurrentDictionary<UploadId, bool> _held = new();
    private readonly RunningHashes _hashes = new(KeptHashes);

    public IStagedUpload? TryOpen(UploadId id)
        => _held.TryAdd(id, true)
            ? new StagedFile(id, layout, files, faults, _hashes, released: () => _held.TryRemove(id, out _), logger)
            : null;

    public IAsyncEnumerable<UploadId> ListUntouchedSinceAsync(DateTimeOffset time, CancellationToken cancellationToken)
        => ListUntouchedSince(time).ToAsyncEnumerable();

    private IEnumerable<UploadId> ListUntouchedSince(DateTimeOffset time)
    {
        var folder = new DirectoryInfo(layout.Staging);
        if (!folder.Exists)
            yield break;

        using var entries = faults.Guard(() => folder.EnumerateFiles().GetEnumerator());
        while (faults.Guard(entries.MoveNext))
        {
            if (FileSystemLayout.UploadOf(entries.Current.Name) is { } id
                && entries.Current.LastWriteTimeUtc < time.UtcDateTime)
                yield return id;
        }
    }
}
