namespace Registry.Bench.Load;

/// <summary>What one run of one workload on one server took.</summary>
/// <param name="Operations">Finished inside the window.</param>
/// <param name="Seconds">Length of the window.</param>
/// <param name="CpuSeconds">Of the server, user and system; null for one whose process is not known.</param>
/// <param name="Latencies">Of each operation in microseconds, sorted.</param>
/// <param name="PeakBytes">The most memory the server held meanwhile.</param>
internal sealed record Measurement(
    int Operations, double Seconds, double? CpuSeconds, long[] Latencies, long? PeakBytes)
{
    public double Rate => Operations / Seconds;

    /// <summary>Seconds of server CPU per operation.</summary>
    public double? CpuPerOperation => CpuSeconds / Operations;

    /// <summary>In milliseconds.</summary>
    public double Percentile(double share)
        => Latencies[Math.Min(Latencies.Length - 1, (int)(Latencies.Length * share))] / 1000.0;
}
