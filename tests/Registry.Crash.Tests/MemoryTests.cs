using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests;

/// <summary>Memory depends on neither the size of a blob nor on how often it is moved.</summary>
public sealed class MemoryTests(ITestOutputHelper output)
{
    private const long Mebi = 1024 * 1024;
    private const long MostResidentBytes = 200 * Mebi;
    private const int Transfers = 8;

    [Fact]
    public async Task Eight_pushes_and_eight_pulls_at_once_stay_below_200_MB()
    {
        var size = (Programs.FullSizes ? 1024 : 64) * Mebi;
        using var data = new WorkFolder("memory");
        await using var server = await RegistryProcess.StartAsync(data.Path);
        using var client = new PlainClient(server.Address);
        var blobs = new GeneratedContent[2 * Transfers];
        Parallel.For(0, blobs.Length, i => blobs[i] = new GeneratedContent(1000 + i, size));
        var (earlier, later) = (blobs[..Transfers], blobs[Transfers..]);
        var idle = server.PeakResidentBytes();
        await PushAsync(earlier);
        var before = server.PeakResidentBytes();

        var pushes = PushAsync(later);
        var pulled = await Task.WhenAll(earlier.Select(blob => client.PullBlobAsync("team/app", blob.Digest)));
        await pushes;
        var peak = server.PeakResidentBytes();

        output.WriteLine(
            $"measured: peak memory {idle / Mebi} MB idle, {before / Mebi} MB after {Transfers} pushes of {size / Mebi} MB at once, "
            + $"{peak / Mebi} MB after {Transfers} pushes and {Transfers} pulls at once");
        Assert.Equal(earlier.Select(blob => blob.Digest), pulled.Select(blob => blob?.Digest));
        Assert.True(peak < MostResidentBytes, $"The server held {peak / Mebi} MB.");

        Task PushAsync(GeneratedContent[] some)
            => Task.WhenAll(some.Select((blob, i) => client.PushAsync("team/app", blob, (PushWay)(i % 4))));
    }

    [Fact]
    public async Task A_blob_many_times_larger_takes_no_more_memory()
    {
        var large = (Programs.FullSizes ? 10 * 1024 : 512) * Mebi;
        using var data = new WorkFolder("memory");
        await using var server = await RegistryProcess.StartAsync(data.Path);
        using var client = new PlainClient(server.Address);
        var blobs = new[] { new GeneratedContent(1, large / 16), new GeneratedContent(2, large) };
        var peaks = new List<long>();

        foreach (var blob in blobs)
        {
            await client.PushAsync("team/app", blob, PushWay.Stream);
            var pulled = await client.PullBlobAsync("team/app", blob.Digest);
            Assert.Equal((blob.Digest, blob.Length), pulled);
            peaks.Add(server.PeakResidentBytes());
        }

        output.WriteLine(
            $"measured: peak memory {peaks[0] / Mebi} MB after a blob of {blobs[0].Length / Mebi} MB, "
            + $"{peaks[1] / Mebi} MB after one of {large / Mebi} MB");
        Assert.True(peaks[1] < MostResidentBytes, $"The server held {peaks[1] / Mebi} MB.");
        Assert.True(peaks[1] - peaks[0] < 64 * Mebi, "Memory grew with the size of the blob.");
    }
}
