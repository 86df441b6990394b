using System.Globalization;
using System.Text.RegularExpressions;

namespace Registry.Crash.Tests;

/// <summary>One system call: its text, and the places in the trace where it began and where it had ended.</summary>
internal sealed record SystemCall(string Name, string Arguments, long Result, int Began, int Ended)
{
    /// <summary>The path of the first argument's descriptor, as strace -y shows it.</summary>
    public string? DescriptorPath
        => Regex.Match(Arguments, @"^\d+<(?<path>/[^>]*)>") is { Success: true } match ? match.Groups["path"].Value : null;

    /// <summary>The paths that are given as texts, in order.</summary>
    public string[] Paths => [.. Regex.Matches(Arguments, "\"(?<path>/[^\"]*)\"").Select(m => m.Groups["path"].Value)];
}

/// <summary>Reads the output of <c>strace -f -y</c>, in which calls of several threads are interleaved.</summary>
internal sealed partial class SystemCallTrace
{
    private SystemCallTrace(IReadOnlyList<SystemCall> calls) => Calls = calls;

    public IReadOnlyList<SystemCall> Calls { get; }

    public static SystemCallTrace Parse(IEnumerable<string> lines)
    {
        var calls = new List<SystemCall>();
        var pending = new Dictionary<string, (string Name, string Arguments, int Began)>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            var thread = line.Split(' ', 2)[0];
            if (Unfinished().Match(line) is { Success: true } begun)
            {
                pending[thread] = (begun.Groups["name"].Value, begun.Groups["arguments"].Value, number);
            }
            else if (Resumed().Match(line) is { Success: true } ended && pending.Remove(thread, out var call))
            {
                var arguments = call.Arguments + ended.Groups["arguments"].Value;
                calls.Add(new SystemCall(call.Name, arguments, Result(ended), call.Began, number));
            }
            else if (Whole().Match(line) is { Success: true } whole)
            {
                calls.Add(new SystemCall(
                    whole.Groups["name"].Value, whole.Groups["arguments"].Value, Result(whole), number, number));
            }
        }

        return new SystemCallTrace(calls);
    }

    /// <summary>The moments at which a response with this status began to leave, in order.</summary>
    public int[] Responses(int status)
        => [.. Calls
            .Where(c => c.Arguments.Contains($"\"HTTP/1.1 {status}", StringComparison.Ordinal))
            .Select(c => c.Began).Order()];

    /// <summary>The successful syncs of a file or directory.</summary>
    public IEnumerable<SystemCall> Syncs(string path)
        => Calls.Where(c => c.Name is "fsync" or "fdatasync" && c.Result == 0 && c.DescriptorPath == path);

    /// <summary>The successful writes to a file.</summary>
    public IEnumerable<SystemCall> Writes(string path)
        => Calls.Where(c => c.Name.Contains("write", StringComparison.Ordinal) && c.Result > 0 && c.DescriptorPath == path);

    private static long Result(Match match) => long.Parse(match.Groups["result"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\d+ +[\d:.]+ (?<name>\w+)\((?<arguments>.*) <unfinished \.\.\.>$")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^\d+ +[\d:.]+ <\.\.\. \w+ resumed>(?<arguments>.*)\) += (?<result>-?\d+)")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"^\d+ +[\d:.]+ (?<name>\w+)\((?<arguments>.*)\) += (?<result>-?\d+)")]
    private static partial Regex Whole();
}
