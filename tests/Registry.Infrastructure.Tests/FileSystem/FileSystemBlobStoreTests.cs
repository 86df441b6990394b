using Microsoft.Extensions.Logging.Abstractions;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;
using Registry.Infrastructure.Tests.Stores;

namespace Registry.Infrastructure.Tests.FileSystem;

/// <summary>What is special about blobs in a folder: where they lie, and who else might touch them.</summary>
public sealed class FileSystemBlobStoreTests : IDisposable
{
    private const string DigitsHex = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
    private static readonly byte[] Digits = "0123456789"u8.ToArray();

    private readonly TemporaryFolder _folder = new();
    private readonly Upload _upload = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_blob_lies_where_other_registries_look_for_it()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);

        var blob = await store.PushAsync(Digits);

        Assert.Equal($"docker/registry/v2/blobs/sha256/84/{DigitsHex}/data", blob.Location);
        Assert.Equal([blob.Location, "registry-store.json"], FileSystemStores.FilesBelow(_folder.Path));
        Assert.Equal(Digits, await File.ReadAllBytesAsync(_folder.Combine(blob.Location)));
    }

    [Fact]
    public async Task An_upload_is_one_file_of_its_id()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        await _upload.AppendAsync(store, Digits);
        Assert.Equal([$"_uploads/{_upload.Id}.upload", "registry-store.json"], FileSystemStores.FilesBelow(_folder.Path));
    }

    [Fact]
    public async Task Uploads_can_be_staged_elsewhere()
    {
        using var elsewhere = new TemporaryFolder();
        var store = await FileSystemStores.StartAsync(_folder.Path, elsewhere.Path);
        await _upload.AppendAsync(store, Digits[..5]);
        Assert.Equal([$"{_upload.Id}.upload"], FileSystemStores.FilesBelow(elsewhere.Path));

        var blob = await _upload.FinishAsync(store, Digits[5..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
        Assert.Empty(FileSystemStores.FilesBelow(elsewhere.Path));
    }

    [Fact]
    public async Task Strangers_in_the_staging_folder_are_left_alone()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        await File.WriteAllTextAsync(_folder.Combine("_uploads", "README"), "mine");
        Directory.CreateDirectory(_folder.Combine("_uploads", $"{_upload.Id}.upload"));
        await foreach (var id in store.Staging.ListUntouchedSinceAsync(DateTimeOffset.UtcNow.AddDays(1), CancellationToken.None))
            Assert.Fail($"{id} is no upload.");
    }

    [Fact]
    public async Task Content_stays_readable_when_its_file_is_replaced_or_deleted()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        var blob = await store.PushAsync(Digits);
        await using var opened = await store.OpenAsync(blob, part: null, CancellationToken.None);

        await store.PushAsync(Digits);
        File.Delete(_folder.Combine(blob.Location));

        Assert.Equal(Digits, await opened!.ReadAsync(new(0, 9)));
    }

    [Fact]
    public async Task A_file_that_shrinks_while_it_is_sent_never_ends_as_if_it_were_whole()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        var blob = await store.PushAsync(GeneratedStream.Bytes(1_000_000));
        await using var opened = await store.OpenAsync(blob, part: null, CancellationToken.None);
        using (var file = File.OpenHandle(_folder.Combine(blob.Location), access: FileAccess.Write))
            RandomAccess.SetLength(file, 500_000);

        await Assert.ThrowsAnyAsync<IOException>(() => opened!.ReadAsync(new(0, 999_999)));
    }

    [Fact]
    public async Task A_lock_on_its_file_keeps_nobody_from_reading_a_blob()
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        var blob = await store.PushAsync(Digits);
        // As the file is for a moment, between its renaming and the end of the request that pushed it.
        using var locked = File.OpenHandle(_folder.Combine(blob.Location), access: FileAccess.ReadWrite, share: FileShare.None);
        Assert.Equal(Digits, await store.ReadAsync(blob));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public async Task A_folder_in_the_place_of_a_blob_is_no_blob(int size)
    {
        var store = await FileSystemStores.StartAsync(_folder.Path);
        var blob = await store.PushAsync(Digits);
        File.Delete(_folder.Combine(blob.Location));
        Directory.CreateDirectory(_folder.Combine(blob.Location));
        Assert.Null(await store.OpenAsync(blob with { Size = size }, part: null, CancellationToken.None));
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("docker/registry/v2/blobs/sha256/../../../../../../outside")]
    [InlineData($"docker/registry/v2/blobs/sha256/84/{DigitsHex}/./data")]
    [InlineData($"docker/registry/v2/blobs/sha256/84/{DigitsHex}/data\n")]
    [InlineData($"/docker/registry/v2/blobs/sha256/84/{DigitsHex}/data")]
    [InlineData("registry-store.json")]
    public async Task A_location_leads_nowhere_but_to_the_blob_itself(string location)
    {
        var store = await FileSystemStores.StartAsync(_folder.Combine("root"));
        await File.WriteAllBytesAsync(_folder.Combine("outside"), Digits);
        var blob = await store.PushAsync(Digits);
        Assert.Null(await store.OpenAsync(blob with { Location = location }, part: null, CancellationToken.None));
        Assert.NotNull(await store.OpenAsync(blob, part: null, CancellationToken.None));
    }

    [Fact]
    public async Task Another_process_cannot_write_to_an_upload_that_is_being_written()
    {
        var here = await FileSystemStores.StartAsync(_folder.Path);
        var there = await FileSystemStores.StartAsync(_folder.Path);
        await using var upload = await _upload.OpenAsync(here);
        await upload.AppendAsync(new MemoryStream(Digits), DigestAlgorithm.Sha256, final: true, CancellationToken.None);

        var failure = await Assert.ThrowsAsync<StorageException>(() => _upload.At(10).AppendAsync(there, Digits));

        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.NotNull(await upload.PublishAsync(StoreUsage.DigestOf(Digits), 10, CancellationToken.None));
    }

    [Fact]
    public async Task Two_processes_can_write_to_an_upload_in_turn()
    {
        var here = await FileSystemStores.StartAsync(_folder.Path);
        var there = await FileSystemStores.StartAsync(_folder.Path);
        await _upload.AppendAsync(here, Digits[..3]);
        await _upload.AppendAsync(there, Digits[3..6]);
        Assert.NotNull(await _upload.FinishAsync(here, Digits[6..], StoreUsage.DigestOf(Digits)));
    }

    [Fact]
    public async Task A_hash_is_not_continued_over_bytes_that_another_process_has_replaced()
    {
        var here = await FileSystemStores.StartAsync(_folder.Path);
        var there = await FileSystemStores.StartAsync(_folder.Path);
        var others = "9876543210"u8.ToArray();
        await _upload.AppendInVainAsync(here, Digits);
        await _upload.AppendAsync(there, others); // of the same length, at once

        Assert.Null(await _upload.FinishAsync(here, [], StoreUsage.DigestOf(Digits)));
        Assert.NotNull(await _upload.FinishAsync(here, [], StoreUsage.DigestOf(others)));
    }

    [Fact]
    public void The_hashes_of_resting_uploads_are_bounded_and_the_oldest_goes_first()
    {
        var hashes = new RunningHashes(capacity: 2);
        UploadId[] ids = [UploadId.Create(), UploadId.Create(), UploadId.Create()];
        foreach (var id in ids)
            hashes.Keep(id, new(DigestAlgorithm.Sha256));
        Assert.Null(hashes.Take(ids[0]));
        Assert.NotNull(hashes.Take(ids[1]));
        Assert.NotNull(hashes.Take(ids[2]));
        Assert.Null(hashes.Take(ids[2]));
    }

    [Fact]
    public async Task Stores_are_found_by_name()
    {
        var stores = new BlobStores(
            new Dictionary<string, StoreOptions>(StringComparer.Ordinal)
            {
                ["default"] = new() { Root = _folder.Combine("one") },
                ["other"] = new() { Root = _folder.Combine("two") },
            },
            NullLoggerFactory.Instance,
            TimeProvider.System);
        foreach (var adapter in stores.Adapters)
            await adapter.PrepareAsync(known: null, CancellationToken.None);

        await stores.Find("other")!.PushAsync(Digits);

        Assert.Equal(2, stores.All.Count);
        Assert.Null(stores.Find("third"));
        Assert.NotNull(stores.FindArchive("default"));
        Assert.Equal(["registry-store.json"], FileSystemStores.FilesBelow(_folder.Combine("one")));
        Assert.Equal(2, FileSystemStores.FilesBelow(_folder.Combine("two")).Count());
    }
}
