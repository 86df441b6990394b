using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Registry.Application.Uploads;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

internal sealed class FileSystemStaging(FileSystemLayout layout, DurableFiles files, StoreFaults faults, ILogger logger)
    : IUploadStaging
{
    private const int KeptHashes = 4096;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    // A claim decides who may write. This keeps the bytes from whoever drops them, or has lost his claim and does not
    // know it yet; between processes the lock on the opened file does.
    private readonly ConcurrentDictionary<UploadId, bool> _held = new();
    private readonly RunningHashes _hashes = new(KeptHashes);

    public async Task<IStagedUpload> OpenAsync(UploadSession session, CancellationToken cancellationToken)
    {
        StagedFile? staged;
        while ((staged = TryOpen(session.Id, session.Offset)) is null)
            await Task.Delay(Pause, cancellationToken);
        return staged;
    }

    /// <summary>An upload that nobody else knows of.</summary>
    public StagedFile Begin() => TryOpen(UploadId.Create(), offset: 0)!;

    public async Task<bool> DropAsync(UploadId id, string? state, CancellationToken cancellationToken)
    {
        if (TryOpen(id, offset: 0) is not { } staged)
            return false;
        await using (staged)
            await staged.DiscardAsync();
        return true;
    }

    public IAsyncEnumerable<UploadId> ListUntouchedSinceAsync(DateTimeOffset time, CancellationToken cancellationToken)
        => ListUntouchedSince(time).ToAsyncEnumerable();

    private StagedFile? TryOpen(UploadId id, long offset)
        => _held.TryAdd(id, true)
            ? new(id, offset, layout, files, faults, _hashes, released: () => _held.TryRemove(id, out _), logger)
            : null;

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
