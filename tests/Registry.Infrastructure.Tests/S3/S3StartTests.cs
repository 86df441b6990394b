using Registry.Infrastructure.Stores;
using Registry.Infrastructure.Tests.Stores;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

/// <summary>What is wrong with a store is said at the start, in one line that names the key and the fix.</summary>
[Collection(nameof(S3Servers))]
public sealed class S3StartTests : IDisposable
{
    private const string Secret = "never-to-be-shown";

    private readonly S3Place _place = new(SharedS3.Server);

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_bucket_that_is_missing()
        => await RefuseAsync(options => options.Bucket = "no-such-bucket", "Bucket is 'no-such-bucket', which does not exist");

    [Fact]
    public async Task A_key_that_the_server_does_not_know()
        => await RefuseAsync(options => options.AccessKey = "nobody", "AccessKey is 'nobody', which the server does not know");

    [Fact]
    public async Task A_secret_that_is_not_the_keys()
        => await RefuseAsync(options => options.SecretKey = Secret, "SecretKey is not the secret of the access key");

    [Fact]
    public async Task A_server_that_is_not_there()
        => await RefuseAsync(
            options => options.ServiceUrl = $"http://127.0.0.1:{LoopbackPort.Free()}", "ServiceUrl is 'http://127.0.0.1:", "cannot be reached");

    [Fact]
    public async Task A_server_that_never_answers()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        await RefuseAsync(
            options => (options.ServiceUrl, options.Timeout) = ($"http://{silent.LocalEndpoint}", TimeSpan.FromMilliseconds(300)),
            "ServiceUrl is 'http://127.0.0.1:", "has not answered within");
    }

    [Fact]
    public async Task A_secret_file_that_is_missing()
        => await RefuseAsync(
            options => (options.SecretKey, options.SecretKeyFile) = (null, "/nowhere/secret"), "SecretKeyFile is '/nowhere/secret', which cannot be read");

    [Fact]
    public async Task The_secret_can_stand_in_a_file()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Combine("secret"), $"{SharedS3.Server.SecretKey}\n");
        await _place.StartAsync(options => (options.SecretKey, options.SecretKeyFile) = (null, folder.Combine("secret")));
        Assert.Equal([StoreMark.FileName], await _place.KeysAsync());
    }

    [Fact]
    public async Task A_place_that_holds_something_else()
    {
        await _place.WriteAsync("photos/1.jpg", [1]);
        await RefuseAsync(_ => { }, "Bucket is", "holds other objects ('photos/1.jpg')", "Prefix");
    }

    [Fact]
    public async Task A_place_that_holds_another_registrys_data()
    {
        await _place.WriteAsync("docker/registry/v2/blobs/sha256/00/x/data", [1]);
        await RefuseAsync(_ => { }, "holds the data of another registry");
    }

    [Fact]
    public async Task A_place_that_is_not_the_one_the_database_knows()
    {
        var store = _place.Create();
        var empty = await Assert.ThrowsAsync<StartRefusedException>(() => store.PrepareAsync("known", CancellationToken.None));
        Assert.Contains("but the database knows this store", empty.Message, StringComparison.Ordinal);
        Assert.Empty(await _place.KeysAsync());

        var mark = await store.PrepareAsync(known: null, CancellationToken.None);
        Assert.Equal(mark, await store.PrepareAsync(mark, CancellationToken.None));
        var other = await Assert.ThrowsAsync<StartRefusedException>(() => store.PrepareAsync("known", CancellationToken.None));
        Assert.Contains("is not the bucket that the database knows", other.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"product":"other","layout":1,"id":"x"}""", "belongs to something else")]
    [InlineData("no json", "belongs to something else")]
    [InlineData("""{"product":"registry","layout":2,"id":"x"}""", "has layout 2, this version knows layouts up to 1")]
    public async Task A_mark_that_is_not_ours(string mark, string problem)
    {
        await _place.WriteAsync(StoreMark.FileName, System.Text.Encoding.UTF8.GetBytes(mark));
        await RefuseAsync(_ => { }, problem);
    }

    [Fact]
    public async Task Of_nodes_that_start_at_once_all_see_the_same_store()
    {
        var marks = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => Task.Run(() => _place.Create().PrepareAsync(known: null, CancellationToken.None))));
        Assert.Single(marks.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_bucket_that_was_emptied_is_a_fault_and_not_a_store_without_blobs()
    {
        var store = await _place.StartAsync();
        var blob = await store.PushAsync([1, 2, 3]);
        Assert.Null(await store.FindProblemAsync(CancellationToken.None));
        foreach (var key in await _place.KeysAsync())
            await _place.DeleteAsync(key);

        await Assert.ThrowsAsync<Domain.Errors.StorageException>(() => store.OpenAsync(blob, part: null, CancellationToken.None));
        Assert.Contains("store 'cloud'", await store.FindProblemAsync(CancellationToken.None), StringComparison.Ordinal);
    }

    private async Task RefuseAsync(Action<StoreOptions> change, params string[] parts)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => _place.StartAsync(change));
        Assert.StartsWith("Registry:Stores:cloud:", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.DoesNotContain(Secret, refusal.Message, StringComparison.Ordinal);
        foreach (var part in parts)
            Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
    }
}
