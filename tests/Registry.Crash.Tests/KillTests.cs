using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests;

/// <summary>kill -9 in the middle of pushes, again and again on one data folder.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Writers = 6;

    private static readonly string[] Repositories = ["team/app", "team/tools"];

    // Decides what is pushed and when the server is killed; how threads take turns is the machine's.
    private static readonly int Seed
        = int.TryParse(Environment.GetEnvironmentVariable("REGISTRY_TEST_SEED"), CultureInfo.InvariantCulture, out var seed)
            ? seed
            : Random.Shared.Next(1 << 24);

    private readonly Random _random = new(Seed);
    private readonly PushLedger _ledger = new();
    private readonly HashSet<object> _seen = [];
    private int _seed = Seed;
    private int _interrupted;

    private static int Kills => Programs.FullSizes ? 150 : 25;

    private static TimeSpan Limit => Programs.FullSizes ? TimeSpan.FromMinutes(40) : TimeSpan.FromMinutes(10);

    [Fact]
    public async Task What_was_confirmed_survives_every_kill_and_nothing_half_written_is_seen()
    {
        output.WriteLine($"measured: kills with REGISTRY_TEST_SEED={Seed}");
        using var data = new WorkFolder("kill");
        var clock = Stopwatch.StartNew();
        // What each writer was doing when it was cut off: it does that again first.
        var unfinished = new PlannedImage?[Writers];
        for (var kill = 0; kill < Kills; kill++)
        {
            Assert.True(clock.Elapsed < Limit, $"Only {kill} of {Kills} kills within {Limit}.");
            await using var server = await StartAsync(data);
            using var client = new PlainClient(server.Address);
            try
            {
                await VerifyAsync(client, kill);
                await RetryAsync(client, unfinished);
                await PushUntilKilledAsync(server, unfinished);
            }
            catch
            {
                output.WriteLine(server.Log);
                throw;
            }
        }

        await using var last = await StartAsync(data);
        using var lastClient = new PlainClient(last.Address);
        await VerifyAsync(lastClient, everything: true);
        await RetryAsync(lastClient, unfinished);
        await VerifyAsync(lastClient, everything: true);

        output.WriteLine(
            $"measured: {Kills} kills in {clock.Elapsed.TotalSeconds:0} s, {_interrupted} images cut off, "
            + $"{_ledger.Blobs.Values.Count(b => b.Accepted)} blobs, "
            + $"{_ledger.Manifests.Values.Count(m => m.Accepted)} manifests confirmed and found again");
        // Otherwise the kills hit an idle server, and nothing was proven.
        Assert.True(_interrupted >= Kills, $"Only {_interrupted} pushes were cut off by {Kills} kills.");
        Assert.True(_ledger.Manifests.Values.Count(m => m.Accepted) >= Kills, "Hardly any push was confirmed.");
    }

    private static Task<RegistryProcess> StartAsync(WorkFolder data)
        => RegistryProcess.StartAsync(data.Path, listen: LoopbackPort.OwnAddress());

    private async Task PushUntilKilledAsync(RegistryProcess server, PlannedImage?[] unfinished)
    {
        using var client = new PlainClient(server.Address);
        var confirmed = 0;
        var killAfter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Half of the kills come with a 201, when the server has just promised something.
        var onConfirmation = _random.Next(2) == 0 ? _random.Next(1, 60) : int.MaxValue;
        var sharedSeed = Interlocked.Increment(ref _seed);

        var writers = Enumerable.Range(0, Writers)
            .Select(writer => Task.Run(() => WriteAsync(client, writer, sharedSeed, unfinished, Confirmed)))
            .ToArray();
        await Task.WhenAny(
            killAfter.Task, Task.WhenAny(writers), Task.Delay(onConfirmation == int.MaxValue ? _random.Next(30, 700) : 5000));
        server.KillAbruptly();
        await Task.WhenAll(writers);

        void Confirmed()
        {
            if (Interlocked.Increment(ref confirmed) == onConfirmation)
                killAfter.TrySetResult();
        }
    }

    private async Task WriteAsync(
        PlainClient client, int writer, int sharedSeed, PlannedImage?[] unfinished, Action confirmed)
    {
        var random = new Random(Interlocked.Increment(ref _seed));
        for (var number = 0; ; number++)
        {
            var image = Plan(random, writer, sharedSeed + (number * 1_000_003));
            unfinished[writer] = image;
            try
            {
                await image.PushAsync(client, _ledger, confirmed);
                unfinished[writer] = null;
            }
            // A server killed just after it accepted a connection: the client meets a bare socket error.
            catch (Exception e) when (
                e is HttpRequestException or IOException or SocketException or OperationCanceledException)
            {
                Interlocked.Increment(ref _interrupted);
                return;
            }
        }
    }

    /// <summary>Small and large blobs, own and shared ones, tags of one writer and a tag of all.</summary>
    private PlannedImage Plan(Random random, int writer, int sharedSeed)
    {
        var size = random.Next(10) switch
        {
            0 => 0,
            < 6 => random.Next(1, 20_000),
            < 9 => random.Next(20_000, 400_000),
            _ => random.Next(1_000_000, 6_000_000),
        };
        return new PlannedImage(
            Repositories[random.Next(Repositories.Length)],
            random.Next(4) == 0 ? "latest" : $"w{writer}-{random.Next(3)}",
            (PushWay)random.Next(4),
            new GeneratedContent(Interlocked.Increment(ref _seed), random.Next(1, 2_000)),
            [
                new GeneratedContent(Interlocked.Increment(ref _seed), size),
                // All writers push this one at about the same time.
                new GeneratedContent(sharedSeed, 150_000),
            ]);
    }

    private async Task RetryAsync(PlainClient client, PlannedImage?[] unfinished)
    {
        for (var writer = 0; writer < unfinished.Length; writer++)
        {
            if (unfinished[writer] is { } image)
                await image.PushAsync(client, _ledger);
            unfinished[writer] = null;
        }
    }

    private Task VerifyAsync(PlainClient client, int kill) => VerifyAsync(client, everything: kill % 25 == 24);

    /// <summary>Everything that is new, and of the old a sample or all.</summary>
    private Task VerifyAsync(PlainClient client, bool everything)
        => _ledger.VerifyAsync(client, entry => _seen.Add(entry) | everything || _random.Next(20) == 0);
}
