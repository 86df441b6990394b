using System.Diagnostics;
using Registry.Bench.Servers;

namespace Registry.Bench.Load;

/// <summary>Clients that each send their next operation when the last one is answered.</summary>
internal static class ClosedLoop
{
    /// <summary>
    /// Runs <paramref name="operation"/> on <paramref name="clients"/> connections, a thread each, and measures after a
    /// time in which caches fill and code is compiled.
    /// </summary>
    /// <param name="operation">Gets its connection and a number that no other operation of this run gets.</param>
    public static Measurement Run(
        Target target, int clients, TimeSpan warmUp, TimeSpan window, Action<HttpConnection, int> operation)
    {
        var (measuring, over, number) = (false, false, 0);
        Exception? failure = null;
        var latencies = new List<long>[clients];
        var threads = Enumerable.Range(0, clients).Select(Start).ToArray();

        Thread.Sleep(warmUp);
        var cpu = target.CpuSeconds();
        target.ResetPeak();
        var clock = Stopwatch.StartNew();
        Volatile.Write(ref measuring, true);
        while (clock.Elapsed < window && Volatile.Read(ref failure) is null)
            Thread.Sleep(10);
        var seconds = clock.Elapsed.TotalSeconds;
        Volatile.Write(ref measuring, false);
        Volatile.Write(ref over, true);
        var spent = target.CpuSeconds() - cpu;
        var peak = target.PeakBytes();
        foreach (var thread in threads)
            thread.Join();

        if (failure is not null)
            throw new InvalidOperationException($"{target.Name}: {failure.Message}", failure);
        long[] all = [.. latencies.SelectMany(l => l).Order()];
        if (all.Length == 0)
            throw new InvalidOperationException($"{target.Name}: no operation ended within {seconds:0.0} s.");
        return new(all.Length, seconds, spent, all, peak);

        Thread Start(int client)
        {
            latencies[client] = new(1 << 16);
            var thread = new Thread(() => Loop(latencies[client])) { IsBackground = true };
            thread.Start();
            return thread;
        }

        void Loop(List<long> mine)
        {
            try
            {
                using var connection = new HttpConnection(target.Address);
                while (!Volatile.Read(ref over))
                {
                    var started = Stopwatch.GetTimestamp();
                    operation(connection, Interlocked.Increment(ref number));
                    if (Volatile.Read(ref measuring))
                        mine.Add((long)Stopwatch.GetElapsedTime(started).TotalMicroseconds);
                }
            }
            catch (Exception e)
            {
                Volatile.Write(ref failure, e);
            }
        }
    }

    /// <summary>Runs a fixed number of operations, each on a connection of its own, and measures all of it.</summary>
    public static Measurement RunOnce(Target target, int clients, Action<HttpConnection, int> operation)
    {
        target.ResetPeak();
        var latencies = new long[clients];
        var failures = new Exception?[clients];
        var connections = Enumerable.Range(0, clients).Select(_ => new HttpConnection(target.Address)).ToArray();
        var cpu = target.CpuSeconds();
        var clock = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, clients).Select(client => new Thread(() => Run(client))).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        var seconds = clock.Elapsed.TotalSeconds;
        var spent = target.CpuSeconds() - cpu;
        foreach (var connection in connections)
            connection.Dispose();

        if (failures.FirstOrDefault(e => e is not null) is { } failure)
            throw new InvalidOperationException($"{target.Name}: {failure.Message}", failure);
        Array.Sort(latencies);
        return new(clients, seconds, spent, latencies, target.PeakBytes());

        void Run(int client)
        {
            try
            {
                operation(connections[client], client);
                latencies[client] = (long)clock.Elapsed.TotalMicroseconds;
            }
            catch (Exception e)
            {
                failures[client] = e;
            }
        }
    }
}
