using Registry.Domain.Errors;
using Registry.Infrastructure.Tests.Stores;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

/// <summary>What is special about blobs that arrive on a node's disk and go up to a bucket meanwhile.</summary>
[Collection(nameof(S3Servers))]
public sealed class S3ArrivalTests : IDisposable
{
    private const int Mebi = 1 << 20;

    private static readonly byte[] Digits = "0123456789"u8.ToArray();

    private readonly S3Place _place = new(SharedS3.Server);

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task Bytes_go_up_while_they_arrive_and_have_no_name_on_the_disk()
    {
        var store = await _place.StartAsync();
        await using var arriving = await store.ReceiveAsync(StoreUsage.DigestOf(Digits), 20 * Mebi, cached: true, CancellationToken.None);

        Assert.False(await arriving.AppendAsync(new GeneratedStream(19 * Mebi), CancellationToken.None));

        await WaitForUploadAsync();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_place.Staging));
    }

    [Fact]
    public async Task A_name_that_a_killed_process_has_left_goes_at_the_next_start_and_nothing_else_does()
    {
        if (OperatingSystem.IsWindows())
            return; // the system takes the names
        var other = await _place.StartAsync();
        await using var arriving = await other.ReceiveAsync(StoreUsage.DigestOf(Digits), 10, cached: true, CancellationToken.None);
        string[] kept = [$"{Guid.NewGuid():D}", "notes", $"{Guid.NewGuid():D}.upload"];
        foreach (var name in kept.Append($"{Guid.NewGuid():D}"))
            await File.WriteAllTextAsync(Path.Combine(_place.Staging, name), name == kept[0] ? "somebody's" : "");

        await _place.StartAsync();

        Assert.Equal(kept.Order(), Directory.GetFiles(_place.Staging).Select(Path.GetFileName).Order());
        Assert.True(await arriving.AppendAsync(new MemoryStream(Digits), CancellationToken.None));
        Assert.NotNull(await arriving.PublishAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_server_that_fails_fails_the_publish_and_no_reader()
    {
        var store = await _place.StartAsync();
        var content = GeneratedStream.Bytes(40 * Mebi);
        var arriving = await store.ReceiveAsync(StoreUsage.DigestOf(content), content.Length, cached: true, CancellationToken.None);
        var client = BlobClient.Fetch(arriving);
        await arriving.AppendAsync(new MemoryStream(content[..(19 * Mebi)]), CancellationToken.None);
        await WaitForUploadAsync();
        await LoseUploadsAsync();

        Assert.True(await arriving.AppendAsync(new MemoryStream(content[(19 * Mebi)..]), CancellationToken.None));
        await Assert.ThrowsAsync<StorageException>(() => arriving.PublishAsync(CancellationToken.None));
        await arriving.DisposeAsync();

        Assert.True((await client.TakeAllAsync()).AsSpan().SequenceEqual(content));
        await client.EndAsync();
        Assert.Equal(["registry-store.json"], await _place.KeysAsync());
        Assert.Equal(0, await _place.CountOpenUploadsAsync());
    }

    [Fact]
    public async Task A_local_folder_that_cannot_be_used_is_a_fault_of_the_store()
    {
        var store = await _place.StartAsync();
        await File.WriteAllTextAsync(_place.Staging, "a file where a folder belongs");

        var failure = await Assert.ThrowsAsync<StorageException>(
            () => store.ReceiveAsync(StoreUsage.DigestOf(Digits), 10, cached: true, CancellationToken.None));

        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.Contains("store 'cloud'", failure.Error.Message, StringComparison.Ordinal);
    }

    private async Task WaitForUploadAsync()
    {
        using var deadline = new CancellationTokenSource(BlobClient.Patience);
        while (await _place.CountOpenUploadsAsync() == 0)
            await Task.Delay(50, deadline.Token);
    }

    // By another node, which does not know whose they are.
    private async Task LoseUploadsAsync()
    {
        var node = await _place.StartAsync();
        await foreach (var id in node.Staging.ListUntouchedSinceAsync(DateTimeOffset.UtcNow.AddHours(1), CancellationToken.None))
            Assert.True(await node.Staging.DropAsync(id, state: null, CancellationToken.None));
    }
}
