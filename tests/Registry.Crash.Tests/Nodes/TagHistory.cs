using System.Collections.Concurrent;
using System.Diagnostics;

namespace Registry.Crash.Tests.Nodes;

/// <summary>
/// What clients of several nodes wrote to a tag and read from it, and when, by one clock; every write has a value of its
/// own.
/// </summary>
internal sealed class TagHistory
{
    private readonly ConcurrentQueue<Operation> _operations = new();

    public int Reads => _operations.Count(operation => !operation.IsWrite);

    /// <summary>Of writes that were confirmed.</summary>
    public IReadOnlyList<string> Written
        => [.. _operations.Where(operation => operation is { IsWrite: true, End: < long.MaxValue }).Select(operation => operation.Value)];

    /// <param name="write">False when nobody knows whether it was done.</param>
    public async Task<bool> WriteAsync(string value, Func<Task<bool>> write)
    {
        var begin = Stopwatch.GetTimestamp();
        var confirmed = false;
        try
        {
            return confirmed = await write();
        }
        finally
        {
            // What is not confirmed may still take effect at any time.
            _operations.Enqueue(new(value, IsWrite: true, begin, confirmed ? Stopwatch.GetTimestamp() : long.MaxValue));
        }
    }

    /// <param name="read">Null when there was no answer.</param>
    public async Task ReadAsync(Func<Task<string?>> read)
    {
        var begin = Stopwatch.GetTimestamp();
        if (await read() is { } value)
            _operations.Enqueue(new(value, IsWrite: false, begin, Stopwatch.GetTimestamp()));
    }

    /// <summary>
    /// Null when the tag behaved as if there were one copy of it, which each operation reached at one moment between its
    /// begin and its end; otherwise why it did not. For a register whose writes all differ that can be decided exactly
    /// (Gibbons and Korach, "Testing shared memories", 1997): each value's operations span a zone, and it does if no two
    /// forward zones overlap and no backward zone lies within a forward one.
    /// </summary>
    public string? FindViolation()
    {
        var zones = new List<Zone>();
        foreach (var value in _operations.GroupBy(operation => operation.Value, StringComparer.Ordinal))
        {
            if (value.SingleOrDefault(operation => operation.IsWrite) is not { } write)
                return $"{value.Key} was read and never written.";
            if (value.Any(operation => operation.End < write.Begin))
                return $"{value.Key} was read before it was written.";
            if (write.End == long.MaxValue && value.Count() == 1)
                continue; // as good as never done
            zones.Add(new(value.Key, value.Min(operation => operation.End), value.Max(operation => operation.Begin)));
        }

        var forward = zones.Where(zone => zone.IsForward).OrderBy(zone => zone.FirstEnd).ToArray();
        foreach (var (one, next) in forward.Zip(forward.Skip(1)))
        {
            if (next.FirstEnd < one.LastBegin)
                return $"{one.Value} and {next.Value} were both the tag at the same time.";
        }

        // The forward zones lie one after the other: only the last one that begins before it can hold a backward one.
        var begins = Array.ConvertAll(forward, zone => zone.FirstEnd);
        foreach (var lost in zones.Where(zone => !zone.IsForward))
        {
            var found = Array.BinarySearch(begins, lost.LastBegin);
            var before = (found < 0 ? ~found : found) - 1;
            if (before >= 0 && lost.FirstEnd < forward[before].LastBegin)
                return $"{lost.Value} was written and confirmed while {forward[before].Value} stayed the tag.";
        }

        return null;
    }

    private sealed record Operation(string Value, bool IsWrite, long Begin, long End);

    private sealed record Zone(string Value, long FirstEnd, long LastBegin)
    {
        public bool IsForward => FirstEnd < LastBegin;
    }
}
