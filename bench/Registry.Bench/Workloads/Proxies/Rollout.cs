using System.Diagnostics;
using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads.Proxies;

/// <summary>What clients saw that began to pull one image in the same moment.</summary>
/// <param name="FirstBytes">From the request for a layer to its first byte, in milliseconds, of all clients and layers.</param>
/// <param name="Seconds">Until the last client that reads had the whole image.</param>
/// <param name="Busy">The share of all processors' time that the clients and the servers used.</param>
internal sealed record Rollout(IReadOnlyList<double> FirstBytes, double Seconds, double Busy)
{
    /// <param name="prefix">What the repository's name begins with there.</param>
    /// <param name="bytesPerSecond">How fast each client reads; null: as fast as it can.</param>
    /// <param name="stalled">So many of the clients read nothing of the first layer, until all others have ended.</param>
    /// <param name="servers">Those that have to do with it.</param>
    public static Rollout Run(
        FreshImage image, Target target, string prefix, int clients, double? bytesPerSecond, int stalled,
        params IReadOnlyList<Target> servers)
    {
        byte[][] requests = [.. image.BlobPaths(prefix).Prepend(image.ManifestPath(prefix)).Select(ToRequest)];
        var (head, layers) = (requests[..2], requests[2..]);
        var firstBytes = new double[clients, layers.Length];
        var failures = new Exception?[clients];
        var connections = Enumerable.Range(0, clients)
            .Select(_ => new HttpConnection(target.Address, bytesPerSecond)).ToArray();
        using var start = new Barrier(clients + 1);
        using var ended = new CountdownEvent(clients - stalled);
        var threads = Enumerable.Range(0, clients).Select(client => new Thread(() => Pull(client))).ToArray();
        foreach (var thread in threads)
            thread.Start();

        var cpu = CpuSeconds();
        start.SignalAndWait();
        var clock = Stopwatch.StartNew();
        ended.Wait();
        var (seconds, spent) = (clock.Elapsed.TotalSeconds, CpuSeconds() - cpu);
        foreach (var thread in threads)
            thread.Join();
        foreach (var connection in connections)
            connection.Dispose();
        if (failures.FirstOrDefault(e => e is not null) is { } failure)
            throw new InvalidOperationException($"{target.Name}: {failure.Message}", failure);
        return new(
            [.. firstBytes.Cast<double>().Skip(stalled * layers.Length)], seconds,
            spent / seconds / Environment.ProcessorCount);

        void Pull(int client)
        {
            var connection = connections[client];
            start.SignalAndWait();
            try
            {
                foreach (var request in head)
                    connection.Send(request, 200);
                if (client < stalled)
                {
                    connection.SendPart(layers[0]);
                    connection.ReceiveHead(layers[0], 200);
                    ended.Wait();
                    return;
                }

                for (var layer = 0; layer < layers.Length; layer++)
                {
                    var asked = Stopwatch.GetTimestamp();
                    connection.Send(layers[layer], 200);
                    firstBytes[client, layer]
                        = Stopwatch.GetElapsedTime(asked, connection.FirstByteAt).TotalMilliseconds;
                }
            }
            catch (Exception e)
            {
                failures[client] = e;
            }
            finally
            {
                if (client >= stalled)
                    ended.Signal();
            }
        }

        byte[] ToRequest(string path)
            => HttpRequest.Of(target.Address, "GET", path, $"Accept: {HttpRequest.ImageManifest}");

        double CpuSeconds()
            => servers.Sum(server => server.CpuSeconds()!.Value) + Environment.CpuUsage.TotalTime.TotalSeconds;
    }
}
