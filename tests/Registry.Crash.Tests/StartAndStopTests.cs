using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests;

public sealed class StartAndStopTests(ITestOutputHelper output)
{
    // The goal is a second. Where other things run beside the tests, only what is clearly wrong counts.
    private static readonly TimeSpan Goal = TimeSpan.FromSeconds(Programs.FullSizes ? 1 : 5);

    [Fact]
    public async Task The_first_answer_comes_soon_after_the_start()
    {
        using var data = new WorkFolder("start");
        var times = new List<TimeSpan>();
        for (var i = 0; i < 6; i++)
        {
            await using var server = await RegistryProcess.StartAsync(data.Path, "/v2/");
            times.Add(server.StartedIn);
        }

        var later = times.Skip(1).Order().ElementAt(2);
        output.WriteLine(
            $"measured: first 200 of GET /v2/ after {times[0].TotalMilliseconds:0} ms on an empty data folder, "
            + $"{later.TotalMilliseconds:0} ms on a used one (median of 5)");
        Assert.True(later < Goal, $"Half of the starts took {later} or more.");
        Assert.True(times[0] < TimeSpan.FromSeconds(5), $"The first start took {times[0]}.");
    }

    [Fact]
    public async Task The_server_ends_by_itself_at_SIGTERM()
    {
        using var data = new WorkFolder("stop");
        await using var server = await RegistryProcess.StartAsync(data.Path);

        Assert.True(await server.StopAsync(), $"The server had to be killed.\n{server.Log}");
    }

    [Fact]
    public async Task A_push_in_flight_at_SIGTERM_is_finished_first()
    {
        using var data = new WorkFolder("drain");
        var blob = new GeneratedContent(11, 2_000_000);
        await using (var server = await RegistryProcess.StartAsync(data.Path))
        {
            using var client = new PlainClient(server.Address);
            var upload = await client.StartUploadAsync("team/app");
            var content = new PausingContent(blob, 1_000_000);
            var push = client.CompleteAsync(upload, blob.Digest, content);
            await content.Paused;
            // What has left the client may still be in the system's buffers: the server must have taken the request.
            await UntilAsync(() => HasUpload(data.Path));

            var stop = server.StopAsync();
            await Task.Delay(500);
            content.GoOn();

            await push;
            Assert.True(await stop, $"The server had to be killed.\n{server.Log}");
        }

        await using var restarted = await RegistryProcess.StartAsync(data.Path);
        using var reader = new PlainClient(restarted.Address);
        Assert.Equal((blob.Digest, blob.Length), await reader.PullBlobAsync("team/app", blob.Digest));
    }

    private static bool HasUpload(string data)
        => new DirectoryInfo(Path.Combine(data, "blobs", "_uploads")).EnumerateFiles().Any(file => file.Length > 0);

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 600, "The server did not take the request within 30 s.");
            await Task.Delay(50);
        }
    }
}
