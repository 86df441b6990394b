using Microsoft.Extensions.Logging;
using Registry.Domain.Errors;
using Registry.Infrastructure.FileSystem;
using Registry.Infrastructure.Tests.Stores;

namespace Registry.Infrastructure.Tests.FileSystem;

/// <summary>Disks that are full, read-only, elsewhere or gone.</summary>
[Collection(nameof(Alone))]
public sealed class FileSystemFaultTests : IDisposable
{
    private static readonly byte[] Digits = "0123456789"u8.ToArray();

    private readonly TemporaryFolder _folder = new();
    private readonly Upload _upload = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_full_disk_refuses_the_chunk_keeps_nothing_of_it_and_goes_on_serving()
    {
        using var space = new ScarceSpace();
        await RefuseTooMuchAsync(space.Path);
    }

    [Fact]
    public async Task A_file_that_may_not_grow_is_a_full_disk_too()
    {
        using var limit = new FileSizeLimit(ScarceSpace.Bytes);
        await RefuseTooMuchAsync(_folder.Path);
    }

    [Fact]
    public async Task A_disk_that_is_full_while_publishing_keeps_the_upload_for_another_try()
    {
        using var elsewhere = new OtherDevice();
        var store = await FileSystemStores.StartAsync(_folder.Path, elsewhere.Path);
        var content = GeneratedStream.Bytes(ScarceSpace.Bytes + 1);
        await _upload.AppendAsync(store, content);

        using (new FileSizeLimit(ScarceSpace.Bytes))
        {
            var failure = await Assert.ThrowsAsync<StorageException>(
                () => _upload.FinishAsync(store, [], StoreUsage.DigestOf(content)));
            Assert.Equal(ErrorReason.StoreFull, failure.Error.Reason);
        }

        Assert.Equal(["registry-store.json"], FileSystemStores.FilesBelow(_folder.Path));
        var blob = await _upload.FinishAsync(store, [], StoreUsage.DigestOf(content));
        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_fails_the_publish_and_keeps_the_upload()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        Directory.CreateDirectory(_folder.Combine("docker/registry/v2"));
        var obstacle = _folder.Combine("docker/registry/v2/blobs");
        await File.WriteAllTextAsync(obstacle, "a file where a folder belongs");

        var failure = await Assert.ThrowsAsync<StorageException>(
            () => _upload.FinishAsync(store, Digits, StoreUsage.DigestOf(Digits)));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.Contains("store 'main'", failure.Error.Message, StringComparison.Ordinal);

        File.Delete(obstacle);
        var blob = await _upload.At(10).FinishAsync(store, [], StoreUsage.DigestOf(Digits));
        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_staging_folder_that_cannot_be_written_fails_the_append()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        Directory.Delete(_folder.Combine("_uploads"));
        await File.WriteAllTextAsync(_folder.Combine("_uploads"), "a file where a folder belongs");
        var failure = await Assert.ThrowsAsync<StorageException>(() => _upload.AppendAsync(store, Digits));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
    }

    [Fact]
    public async Task A_staging_folder_that_has_gone_is_made_again()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        Directory.Delete(_folder.Combine("_uploads"));
        Assert.Equal(Digits, await store.ReadAsync(await store.PushAsync(Digits)));
    }

    [Fact]
    public async Task Folders_that_were_removed_are_made_again()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        await store.PushAsync(Digits);
        Directory.Delete(_folder.Combine("docker"), recursive: true);
        Assert.Equal(Digits, await store.ReadAsync(await store.PushAsync(Digits)));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_a_fault_and_not_a_missing_blob()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        var blob = await store.PushAsync(Digits);
        File.Delete(_folder.Combine(blob.Location));
        File.CreateSymbolicLink(_folder.Combine(blob.Location), "data"); // leads to itself

        var failure = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(blob, part: null, CancellationToken.None));

        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
    }

    [Fact]
    public async Task A_disk_that_fails_while_a_blob_is_read_is_a_fault_of_the_store()
    {
        // What Linux shows of a process's memory can be opened, and its first page cannot be read.
        await using var content = new FileSystemBlobContent(File.OpenHandle("/proc/self/mem"), 10, new("main"));

        var failure = await Assert.ThrowsAsync<StorageException>(() => content.ReadAsync(new(0, 9)));

        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.Contains("store 'main'", failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_that_is_not_mounted_any_more_is_a_fault_and_not_an_empty_store()
    {
        var root = _folder.Combine("root");
        var store = await FileSystemStores.StartAsync(root);
        var blob = await store.PushAsync(Digits);
        await _upload.AppendAsync(store, Digits);
        Directory.Move(root, _folder.Combine("unmounted"));
        Directory.CreateDirectory(root); // what a mount leaves behind

        await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(blob, part: null, CancellationToken.None));
        await Assert.ThrowsAsync<StorageException>(() => _upload.AppendAsync(store, Digits));
        await Assert.ThrowsAsync<StorageException>(() => store.PushAsync(Digits));

        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
    }

    [Fact]
    public async Task Staging_on_another_device_is_said_at_the_start_and_works()
    {
        using var elsewhere = new OtherDevice();
        var log = new RecordingLogger();
        var store = new FileSystemBlobStore("main", new() { Root = _folder.Path, Staging = elsewhere.Path }, log, TimeProvider.System);
        await store.PrepareAsync(known: null, CancellationToken.None);
        Assert.Single(log.Lines, line => line.Contains("another device", StringComparison.Ordinal));

        var content = GeneratedStream.Bytes(1_500_000);
        var blob = await store.PushAsync(content);

        Assert.Equal(content, await store.ReadAsync(blob));
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere.Path));
        Assert.Equal([blob.Location, "registry-store.json"], FileSystemStores.FilesBelow(_folder.Path));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_fails_an_arrival_and_not_its_readers()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        await File.WriteAllTextAsync(_folder.Combine("proxied"), "a file where a folder belongs");
        var arriving = await store.ReceiveAsync(StoreUsage.DigestOf(Digits), 10, cached: true, CancellationToken.None);
        await arriving.AppendAsync(new MemoryStream(Digits), CancellationToken.None);
        var client = BlobClient.Fetch(arriving);

        await Assert.ThrowsAsync<StorageException>(() => arriving.PublishAsync(CancellationToken.None));
        await arriving.DisposeAsync();

        Assert.Equal(Digits, await client.TakeAllAsync());
        await client.EndAsync();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("_uploads")));
    }

    [Fact]
    public async Task A_staging_folder_that_cannot_be_written_takes_no_arrival()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        Directory.Delete(_folder.Combine("_uploads"));
        await File.WriteAllTextAsync(_folder.Combine("_uploads"), "a file where a folder belongs");
        var failure = await Assert.ThrowsAsync<StorageException>(
            () => store.ReceiveAsync(StoreUsage.DigestOf(Digits), 10, cached: true, CancellationToken.None));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
    }

    [Fact]
    public async Task A_disk_with_room_for_one_copy_takes_an_arrival_that_is_read()
    {
        using var space = new ScarceSpace();
        var store = await FileSystemStores.StartAsync(space.Path);
        var content = GeneratedStream.Bytes(ScarceSpace.Bytes * 2 / 3);
        await using var arriving = await store.ReceiveAsync(
            StoreUsage.DigestOf(content), content.Length, cached: true, CancellationToken.None);
        var client = BlobClient.Fetch(arriving);
        await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None);

        var blob = await arriving.PublishAsync(CancellationToken.None);

        Assert.Equal(content, await client.TakeAllAsync());
        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_arrival_is_read_on_while_it_is_copied_from_another_device()
    {
        using var elsewhere = new OtherDevice();
        var store = await FileSystemStores.StartAsync(_folder.Path, elsewhere.Path);
        var content = GeneratedStream.Bytes(1_500_000);
        var arriving = await store.ReceiveAsync(StoreUsage.DigestOf(content), content.Length, cached: true, CancellationToken.None);
        var client = BlobClient.Fetch(arriving);
        await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None);

        var blob = await arriving.PublishAsync(CancellationToken.None);
        await arriving.DisposeAsync();

        Assert.Equal(content, await client.TakeAllAsync());
        Assert.Equal(content, await store.ReadAsync(blob!));
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere.Path));
    }

    private static async Task RefuseTooMuchAsync(string root)
    {
        var store = await FileSystemStores.StartAsync(root);
        var upload = new Upload();
        var small = await store.PushAsync(Digits);
        var content = GeneratedStream.Bytes(500_000);
        await upload.AppendAsync(store, content[..300_000]);

        var failure = await Assert.ThrowsAsync<StorageException>(() => upload.AppendAsync(store, new GeneratedStream(8 << 20)));
        Assert.Equal(ErrorReason.StoreFull, failure.Error.Reason);

        Assert.Equal(300_000, new FileInfo(Path.Combine(root, "_uploads", $"{upload.Id}.upload")).Length);
        Assert.Equal(Digits, await store.ReadAsync(small));
        var blob = await upload.FinishAsync(store, content[300_000..], StoreUsage.DigestOf(content));
        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    private sealed class RecordingLogger : ILogger<FileSystemBlobStore>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Lines.Add(formatter(state, exception));
    }

    // The memory disk that every Linux has; anybody may write there.
    private sealed class OtherDevice : IDisposable
    {
        public string Path { get; } = System.IO.Path.Combine("/dev/shm", $"registry-test-{Guid.NewGuid():N}");

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
