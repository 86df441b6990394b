using Registry.Testing.Processes;

namespace Registry.Crash.Tests;

/// <summary>An upload session outlives the process: what a 202 confirmed need not be sent again.</summary>
public sealed class ResumedUploadTests : IDisposable
{
    private const string Repository = "team/app";

    private readonly WorkFolder _data = new("resume");
    private readonly GeneratedContent _blob = new(7, 3_000_000);

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task An_upload_goes_on_after_a_kill_from_what_was_confirmed()
    {
        Uri upload;
        await using (var server = await RegistryProcess.StartAsync(_data.Path))
        {
            using var client = new PlainClient(server.Address);
            upload = await client.StartUploadAsync(Repository);
            upload = await client.AppendAsync(upload, PlainClient.Body(_blob.Open(0, 1_000_000), 1_000_000), at: 0);
            server.KillAbruptly();
        }

        await using var restarted = await RegistryProcess.StartAsync(_data.Path);
        using var again = new PlainClient(restarted.Address);
        var (location, offset) = await again.AskOffsetAsync(new Uri(restarted.Address, upload.PathAndQuery));
        Assert.Equal(1_000_000, offset);
        await FinishAsync(again, location, offset);
    }

    [Fact]
    public async Task An_upload_cut_in_the_middle_of_a_chunk_goes_on_from_where_the_server_says()
    {
        Uri upload;
        await using (var server = await RegistryProcess.StartAsync(_data.Path))
        {
            using var client = new PlainClient(server.Address);
            upload = await client.StartUploadAsync(Repository);
            var chunk = new PausingContent(_blob, 2_000_000);
            var cut = client.AppendAsync(upload, chunk);
            await chunk.Paused;
            server.KillAbruptly();
            chunk.GoOn();
            await Assert.ThrowsAsync<HttpRequestException>(() => cut);
        }

        await using var restarted = await RegistryProcess.StartAsync(_data.Path);
        using var again = new PlainClient(restarted.Address);
        var (location, offset) = await again.AskOffsetAsync(new Uri(restarted.Address, upload.PathAndQuery));
        Assert.InRange(offset, 0, 2_000_000);
        await FinishAsync(again, location, offset);
    }

    private async Task FinishAsync(PlainClient client, Uri upload, long offset)
    {
        var rest = _blob.Length - offset;
        upload = await client.AppendAsync(upload, PlainClient.Body(_blob.Open(offset, rest), rest), offset);
        await client.CompleteAsync(upload, _blob.Digest);
        Assert.Equal((_blob.Digest, _blob.Length), await client.PullBlobAsync(Repository, _blob.Digest));
    }
}
