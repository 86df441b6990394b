using System.Diagnostics;
using System.Globalization;

namespace Registry.Bench.Servers;

/// <summary>A server under measurement.</summary>
/// <param name="Process">Its process on this machine; null for a server that somebody else runs.</param>
internal sealed record Target(string Name, Uri Address, Process? Process)
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on

    /// <summary>User and system time that the process has used.</summary>
    public double? CpuSeconds()
    {
        if (Process is null)
            return null;
        // The second field may hold blanks; the times are the 14th and the 15th.
        var text = File.ReadAllText($"/proc/{Process.Id}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;

        static double Number(string field) => double.Parse(field, CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Waits, a minute at most, until the process does nothing: work that one row has left for later must not be
    /// charged to the next.
    /// </summary>
    public void WaitUntilIdle()
    {
        if (Process is null)
            return;
        for (var tries = 0; tries < 120; tries++)
        {
            var before = CpuSeconds();
            Thread.Sleep(500);
            if (CpuSeconds() - before < 0.015)
                return;
        }
    }

    /// <summary>The most memory the process held since <see cref="ResetPeak"/>.</summary>
    public long? PeakBytes()
    {
        if (Process is null)
            return null;
        var line = File.ReadLines($"/proc/{Process.Id}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    public void ResetPeak()
    {
        if (Process is not null)
            File.WriteAllText($"/proc/{Process.Id}/clear_refs", "5");
    }
}
