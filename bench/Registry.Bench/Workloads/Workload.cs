using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads;

/// <summary>One row of the comparison.</summary>
/// <param name="Key">Its name in the recorded results.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="RateGoal">At least this many times the rate of the other server; null where none is set.</param>
/// <param name="CpuGoal">At least this many times less CPU per operation than the other server.</param>
/// <param name="Run">Measures it on a server that <see cref="Fixture"/> has filled; gets the number of the round.</param>
/// <param name="BytesPerOperation">For a rate in MB/s; null where operations are what counts.</param>
internal sealed record Workload(
    string Key, string Title, double? RateGoal, double? CpuGoal, Func<Target, int, Measurement> Run,
    long? BytesPerOperation = null);
