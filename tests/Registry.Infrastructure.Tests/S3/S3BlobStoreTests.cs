using System.Text;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Uploads;
using Registry.Infrastructure.S3;
using Registry.Infrastructure.Tests.Database;
using Registry.Infrastructure.Tests.Stores;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

/// <summary>What is special about blobs in a bucket: where they lie, and how several nodes make one.</summary>
[Collection(nameof(S3Servers))]
public sealed class S3BlobStoreTests : IDisposable
{
    private const int Mebi = 1 << 20;
    private const string DigitsKey
        = "docker/registry/v2/blobs/sha256/84/84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882/data";

    private static readonly byte[] Digits = "0123456789"u8.ToArray();

    private readonly S3Place _place = new(SharedS3.Server);
    private readonly Upload _upload = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_small_blob_lies_where_other_registries_look_for_it()
    {
        var store = await _place.StartAsync();

        var blob = await store.PushAsync(Digits);

        Assert.Equal(DigitsKey, blob.Location);
        Assert.Equal([DigitsKey, "registry-store.json"], await _place.KeysAsync());
        Assert.Equal(Digits, await _place.ReadAsync(DigitsKey));
    }

    [Fact]
    public async Task A_large_blob_stays_where_its_upload_has_ended_and_its_content_address_says_where()
    {
        var store = await _place.StartAsync();
        var content = GeneratedStream.Bytes((20 * Mebi) + 1);

        var blob = await _upload.FinishAsync(store, content, StoreUsage.DigestOf(content));

        Assert.Equal($"_blobs/{_upload.Id}", blob!.Location);
        Assert.Equal(content, await store.ReadAsync(blob));
        var address = Assert.Single(await _place.KeysAsync("docker/"));
        Assert.Equal(
            $$"""{"location":"_blobs/{{_upload.Id}}","size":{{content.Length}}}""",
            Encoding.UTF8.GetString(await _place.ReadAsync(address)));
        Assert.Equal(0, await _place.CountOpenUploadsAsync());
    }

    [Fact]
    public async Task What_stands_at_the_content_address_is_never_overwritten()
    {
        var store = await _place.StartAsync();
        var first = await store.PushAsync(Digits);
        var second = await store.PushAsync(Digits);
        Assert.NotEqual(first.Location, second.Location);
        await _place.DeleteAsync(first.Location);
        Assert.Equal(Digits, await store.ReadAsync(second));
    }

    [Theory]
    [InlineData(4 * Mebi)] // never enough for a part
    [InlineData(5 * Mebi)]
    [InlineData(11 * Mebi)]
    public async Task An_upload_goes_from_node_to_node_chunk_by_chunk(int chunk)
    {
        var content = GeneratedStream.Bytes((34 * Mebi) + 7);
        foreach (var part in content.Chunk(chunk).SkipLast(1))
            Assert.NotNull(await _upload.AppendAsync(await _place.StartAsync(), part));

        var store = await _place.StartAsync();
        var rest = content[(int)_upload.Session.Offset..];
        var blob = await _upload.FinishAsync(store, rest, StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
        await NothingIsLeftAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Mebi)]
    public async Task A_wrong_digest_leaves_an_upload_usable_that_another_node_began(int last)
    {
        var content = GeneratedStream.Bytes((13 * Mebi) + last);
        await _upload.AppendAsync(await _place.StartAsync(), content[..(13 * Mebi)]);

        var wrong = GeneratedStream.Bytes(last, seed: 2);
        Assert.Null(await _upload.FinishAsync(await _place.StartAsync(), wrong, StoreUsage.DigestOf([1])));
        var store = await _place.StartAsync();
        var blob = await _upload.FinishAsync(store, content[(13 * Mebi)..], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_chunk_may_follow_where_a_wrong_digest_has_ended_the_parts()
    {
        var content = GeneratedStream.Bytes(24 * Mebi);
        await _upload.AppendAsync(await _place.StartAsync(), content[..(9 * Mebi)]);
        Assert.Null(await _upload.FinishAsync(await _place.StartAsync(), [1, 2, 3], StoreUsage.DigestOf([1])));

        await _upload.AppendAsync(await _place.StartAsync(), content[(9 * Mebi)..]);
        var store = await _place.StartAsync();
        var blob = await _upload.FinishAsync(store, [], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(6 * Mebi)]
    public async Task Parts_that_did_not_count_are_no_part_of_the_blob(int last)
    {
        var content = GeneratedStream.Bytes((6 * Mebi) + last);
        var store = await _place.StartAsync();
        await _upload.AppendAsync(store, content[..(6 * Mebi)]);
        await _upload.AppendInVainAsync(store, GeneratedStream.Bytes(30 * Mebi, seed: 2));

        var blob = await _upload.FinishAsync(store, content[(6 * Mebi)..], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task What_is_saved_does_not_depend_on_the_request_that_sent_it()
    {
        var content = GeneratedStream.Bytes(10 * Mebi);
        var first = await _place.StartAsync();
        await _upload.AppendAsync(first, content[..(9 * Mebi)]);
        var (second, third) = (await _place.StartAsync(), await _place.StartAsync());
        var blob = await _upload.FinishAsync(second, content[(9 * Mebi)..], StoreUsage.DigestOf(content));
        // The first node still has a hash of the first bytes. It is not that of another upload's, or of other bytes.
        Assert.Null(await new Upload().FinishAsync(first, content[1..], StoreUsage.DigestOf(content)));
        Assert.Equal(content, await third.ReadAsync(blob!));
    }

    /// <summary>
    /// A node has hashed a chunk that did not count, and another one has taken as many other bytes in its place.
    /// </summary>
    [Fact]
    public async Task A_hash_of_as_many_bytes_that_did_not_count_is_not_trusted()
    {
        var content = GeneratedStream.Bytes(7 * Mebi);
        var vain = GeneratedStream.Bytes(Mebi, seed: 2);
        var (first, second) = (await _place.StartAsync(), await _place.StartAsync());
        await _upload.AppendAsync(first, content[..(6 * Mebi)]);
        await _upload.AppendInVainAsync(first, vain);
        await _upload.AppendAsync(second, content[(6 * Mebi)..]);

        Assert.Null(await _upload.FinishAsync(first, [], StoreUsage.DigestOf([.. content[..(6 * Mebi)], .. vain])));
        var blob = await _upload.FinishAsync(first, [], StoreUsage.DigestOf(content));

        Assert.Equal(content, await first.ReadAsync(blob!));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(160)]
    public async Task One_transfer_holds_at_most_32_MiB_whatever_its_length(int mebibytes)
    {
        await (await _place.StartAsync()).PushAsync(Digits); // what the client itself keeps is there
        var store = await _place.StartAsync(); // with no buffer yet
        var content = new GeneratedStream((long)mebibytes * Mebi);
        await using var staged = await _upload.OpenAsync(store);

        // All that is ever allocated is more than what is held at any moment.
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await staged.AppendAsync(content, DigestAlgorithm.Sha256, final: true, CancellationToken.None);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.InRange(allocated, 0, 32 * Mebi);
    }

    [Fact]
    public async Task Where_parts_become_larger_a_transfer_holds_no_more()
    {
        var store = await _place.StartAsync();
        await _upload.AppendAsync(store, GeneratedStream.Bytes(8 * Mebi));
        var saved = StagedParts.Parse(_upload.Session.State);
        // As if so many parts had been sent before; only the end of the upload would ask for them.
        var earlier = saved with { Parts = [.. Enumerable.Repeat(saved.Parts[0], S3Parts.SmallParts - 3)] };
        var upload = _upload.At(earlier.Size, earlier.ToString());
        await using var staged = await upload.OpenAsync(await _place.StartAsync());

        var before = GC.GetTotalAllocatedBytes(precise: true);
        await staged.AppendAsync(
            new GeneratedStream(200L * Mebi), DigestAlgorithm.Sha256, final: true, CancellationToken.None);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.InRange(allocated, 0, 40 * Mebi); // 32 MiB, and the list of parts
    }

    [Fact]
    public async Task Bytes_that_a_row_may_name_are_not_replaced_by_the_pointer_of_a_second_push()
    {
        var store = await _place.StartAsync();
        var content = GeneratedStream.Bytes(6 * Mebi);
        var first = await store.PushAsync(content); // in one request: at its content address

        Assert.Equal(content.Length, (await _upload.AppendAsync(store, content))!.Value.Offset);
        var second = await _upload.FinishAsync(store, [], StoreUsage.DigestOf(content));

        Assert.NotEqual(first.Location, second!.Location);
        Assert.Equal(content, await store.ReadAsync(first));
        Assert.Equal(content, await store.ReadAsync(second));
    }

    [Fact]
    public async Task Abandoned_uploads_are_listed_and_dropped_with_all_their_parts()
    {
        var store = await _place.StartAsync();
        await _upload.AppendAsync(store, GeneratedStream.Bytes(20 * Mebi));
        await _upload.AppendInVainAsync(store, GeneratedStream.Bytes(2 * Mebi));
        Assert.Equal(1, await _place.CountOpenUploadsAsync());

        var node = await _place.StartAsync();
        Assert.Contains(_upload.Id, await ListAsync(node, DateTimeOffset.UtcNow.AddMinutes(5)));
        Assert.DoesNotContain(_upload.Id, await ListAsync(node, DateTimeOffset.UtcNow.AddMinutes(-5)));
        Assert.True(await node.Staging.DropAsync(_upload.Id, state: null, CancellationToken.None));

        await NothingIsLeftAsync();
        Assert.Empty(await ListAsync(node, DateTimeOffset.UtcNow.AddMinutes(5)));
    }

    [Fact]
    public async Task A_whole_blob_that_does_not_fit_its_digest_leaves_nothing()
    {
        var store = await _place.StartAsync();
        await using (var staged = await _upload.OpenAsync(store))
        {
            await staged.AppendAsync(new GeneratedStream(20 * Mebi), DigestAlgorithm.Sha256, final: true, CancellationToken.None);
            Assert.Null(await staged.PublishAsync(StoreUsage.DigestOf([1]), 20 * Mebi, CancellationToken.None));
            await staged.DiscardAsync();
        }

        await NothingIsLeftAsync();
        Assert.Equal(["registry-store.json"], await _place.KeysAsync());
    }

    [Fact]
    public async Task Large_blobs_can_be_fetched_from_the_server_itself()
    {
        var store = await _place.StartAsync(options => (options.Redirect, options.RedirectMinBytes) = (true, 1000));
        var (small, large) = (await store.PushAsync(Digits), await store.PushAsync(GeneratedStream.Bytes(1000)));

        await using var sent = await store.OpenAsync(small, part: null, CancellationToken.None);
        await using var redirected = await store.OpenAsync(large, part: null, CancellationToken.None);

        Assert.Null(sent!.Address);
        using var http = new HttpClient();
        Assert.Equal(GeneratedStream.Bytes(1000), await http.GetByteArrayAsync(redirected!.Address));
        await _place.DeleteAsync(large.Location);
        Assert.Null(await store.OpenAsync(large, part: null, CancellationToken.None));
    }

    [Fact]
    public async Task Manifests_and_tags_are_copied_where_other_registries_have_them()
    {
        var archive = (await _place.StartAsync()).Manifests;
        var manifest = "{}"u8.ToArray();
        var digest = StoreUsage.DigestOf(manifest);
        var (app, tag) = (Samples.App, Tag.Parse("v1"));
        for (var time = 0; time < 2; time++)
        {
            await archive.PutManifestAsync(app, digest, manifest, CancellationToken.None);
            await archive.PutTagAsync(app, tag, digest, CancellationToken.None);
        }

        await archive.PutTagAsync(app, Tag.Parse("v1.1"), digest, CancellationToken.None);
        var links = $"docker/registry/v2/repositories/{app.Name}/_manifests";
        Assert.Equal(
            [
                $"{links}/revisions/sha256/{digest.Hex}/link",
                $"{links}/tags/v1.1/current/link", $"{links}/tags/v1.1/index/sha256/{digest.Hex}/link",
                $"{links}/tags/v1/current/link", $"{links}/tags/v1/index/sha256/{digest.Hex}/link",
            ],
            await _place.KeysAsync(links));
        Assert.Equal(digest.ToString(), Encoding.ASCII.GetString(await _place.ReadAsync($"{links}/tags/v1/current/link")));

        await archive.RemoveTagAsync(app, tag, CancellationToken.None);
        await archive.RemoveManifestAsync(app, digest, CancellationToken.None);
        Assert.Equal(2, (await _place.KeysAsync(links)).Count);
    }

    private static async Task<List<UploadId>> ListAsync(S3BlobStore store, DateTimeOffset time)
        => await store.Staging.ListUntouchedSinceAsync(time, CancellationToken.None).ToListAsync();

    // Some of it goes behind the answer.
    private async Task NothingIsLeftAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((await _place.KeysAsync("_uploads/")).Count > 0 || await _place.CountOpenUploadsAsync() > 0)
            await Task.Delay(20, deadline.Token);
    }
}
