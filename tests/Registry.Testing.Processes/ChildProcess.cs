using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Registry.Testing.Processes;

/// <summary>A program that was started here: its output is kept, and it is ended by its id, with its children.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    // Enough to see what happened, however long a daemon talks.
    private const int MaxCharsKept = 1 << 20;

    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly Task _drained;

    private ChildProcess(Process process, string commandLine)
    {
        _process = process;
        CommandLine = commandLine;
        _drained = Task.WhenAll(
            KeepAsync(process.StandardOutput, _output),
            KeepAsync(process.StandardError, _error));
    }

    public string CommandLine { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Error => Text(_error);

    /// <summary>Starts a program with nothing of this process's environment but the PATH.</summary>
    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? folder = null)
    {
        var start = new ProcessStartInfo(Programs.Require(program))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        // Proxies, sockets and configuration of the machine must not decide what a client does.
        start.Environment.Clear();
        start.Environment["PATH"] = Programs.SearchPath;
        start.Environment["HOME"] = folder ?? Path.GetTempPath();
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        return new ChildProcess(process, $"{program} {string.Join(' ', start.ArgumentList)}");
    }

    /// <summary>Waits for the end; a program that does not end in time is killed and is an error.</summary>
    public async Task<CommandResult> WaitAsync(TimeSpan timeout)
    {
        using var deadline = new CancellationTokenSource(timeout);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            Kill();
            throw new TimeoutException(
                $"'{CommandLine}' did not end within {timeout.TotalSeconds:0} s.\n{Output}\n{Error}", e);
        }

        // A grandchild may hold the pipes open for ever: the program's own end is what counts.
        await Task.WhenAny(_drained, Task.Delay(TimeSpan.FromSeconds(5)));
        return new CommandResult(CommandLine, _process.ExitCode, Output, Error);
    }

    /// <summary>SIGKILL, to the children too.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
    }

    /// <summary>SIGKILL to this process alone and at once, as a power cut does to the program.</summary>
    public void KillAbruptly()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Asks with SIGTERM; false when the process had to be killed after all.</summary>
    public async Task<bool> StopAsync(TimeSpan patience)
    {
        if (_process.HasExited)
            return true;
        _ = SendSignal(_process.Id, SigTerm);
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            Kill();
            await _process.WaitForExitAsync();
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        await Task.WhenAny(_drained, Task.Delay(TimeSpan.FromSeconds(5)));
        _process.Dispose();
    }

    private static async Task KeepAsync(StreamReader reader, StringBuilder kept)
    {
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer)) > 0)
        {
            lock (kept)
            {
                kept.Append(buffer, 0, read);
                if (kept.Length > MaxCharsKept)
                    kept.Remove(0, kept.Length - (MaxCharsKept / 2));
            }
        }
    }

    private static string Text(StringBuilder kept)
    {
        lock (kept)
            return kept.ToString();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);
}
