using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Registry.Testing.Processes;

/// <summary>
/// A PostgreSQL server of its own, from the machine's package, on a temporary folder and a free loopback port. It goes
/// with its owner, and when the test process dies without a word, with that.
/// </summary>
public sealed class PostgreSqlProcess : IAsyncDisposable
{
    public const string User = "registry";
    public const string Password = "a secret; of 'the' tests";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // PostgreSQL refuses to be root; the package brings a user for it. The loop ends the server of a test run that is
    // over, or was killed: a fast shutdown, within a second, and nothing is left.
    private const string Launch =
        """
        user=; [ "$(id -u)" = 0 ] && user="setpriv --reuid=postgres --regid=postgres --clear-groups"
        cd "$FOLDER" || exit 1
        [ "$(id -u)" = 0 ] && chown postgres: "$FOLDER"
        if [ ! -e data/PG_VERSION ]; then
          printf %s "$SECRET" > secret && chmod 644 secret
          $user "$BIN/initdb" -D data -U registry --auth=scram-sha-256 --pwfile=secret -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions || exit 1
        fi
        $user "$BIN/postgres" -D data -p "$PORT" -c listen_addresses="$ADDRESS" -c unix_socket_directories= "$@" &
        server=$!
        trap 'kill -INT $server; wait $server; exit' TERM INT
        while kill -0 $server 2>/dev/null && kill -0 "$OWNER" 2>/dev/null; do sleep 0.5; done
        kill -INT $server 2>/dev/null; wait $server
        kill -0 "$OWNER" 2>/dev/null || rm -rf "$FOLDER"
        """;

    private readonly WorkFolder _folder = new("postgresql");
    private readonly string[] _settings;
    private readonly IPAddress _address;
    private ChildProcess? _process;

    private PostgreSqlProcess(IPAddress address, int port, string[] settings)
        => (_address, Port, _settings) = (address, port, settings);

    public int Port { get; }

    /// <summary>What the server and its set-up wrote.</summary>
    public string Log => _process?.Error + _process?.Output;

    /// <summary>Why tests that need it are skipped; null when it can be started.</summary>
    public static string? ReasonToSkip
        => Programs.AreRequired || FindFolder() is not null ? null : "not installed: postgresql";

    /// <param name="settings">Of the server, such as <c>max_connections=10</c>.</param>
    public static async Task<PostgreSqlProcess> StartAsync(params string[] settings)
    {
        var address = LoopbackPort.OwnAddress();
        var server = new PostgreSqlProcess(address, LoopbackPort.Free(address), settings);
        try
        {
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>How the registry is told where its database is.</summary>
    /// <param name="others">More keywords, such as <c>Search Path=a</c>.</param>
    public string ConnectionString(string database = "postgres", string? others = null)
        => $"Host={_address};Port={Port};Database={database};Username={User};Password=\"{Password}\";{others}";

    /// <summary>Starts it again on the same folder and port, after <see cref="StopAsync"/> or <see cref="KillAsync"/>.</summary>
    public async Task StartAsync()
    {
        var bin = FindFolder() ?? throw new FileNotFoundException("PostgreSQL is not installed.");
        _process = ChildProcess.Start(
            "bash",
            ["-c", Launch, "postgresql", .. _settings.SelectMany(setting => new[] { "-c", setting })],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["BIN"] = bin,
                ["FOLDER"] = _folder.Path,
                ["SECRET"] = Password,
                ["ADDRESS"] = _address.ToString(),
                ["PORT"] = Port.ToString(CultureInfo.InvariantCulture),
                ["OWNER"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
                ["LC_ALL"] = "C",
            });
        using var deadline = new CancellationTokenSource(Patience);
        while (!Log.Contains("database system is ready to accept connections", StringComparison.Ordinal))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"PostgreSQL did not start.\n{Log}");
            await Task.Delay(20, deadline.Token);
        }
    }

    /// <summary>Ends it as an administrator does: clients are cut off, everything is written.</summary>
    public async Task StopAsync()
    {
        if (_process is null)
            return;
        await _process.StopAsync(Patience);
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>kill -9 of the server; its sessions end when they notice.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        var lockFile = _folder.File("data/postmaster.pid");
        var id = int.Parse((await File.ReadAllLinesAsync(lockFile))[0], CultureInfo.InvariantCulture);
        using (var server = Process.GetProcessById(id))
            server.Kill();
        await _process.WaitAsync(Patience);
        await _process.DisposeAsync();
        _process = null;
        // A new one refuses to start before the last session of the old one is gone.
        using var deadline = new CancellationTokenSource(Patience);
        while (Directory.GetDirectories("/proc").Any(IsSession))
            await Task.Delay(20, deadline.Token);

        bool IsSession(string process)
        {
            try
            {
                return Directory.ResolveLinkTarget(Path.Combine(process, "cwd"), returnFinalTarget: false)?.FullName == _folder.File("data");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false; // it has just ended
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    // Debian keeps the server's programs beside the PATH, below the version.
    private static string? FindFolder()
        => Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .Select(folder => Path.Combine(folder, "bin"))
                .Where(bin => File.Exists(Path.Combine(bin, "initdb")))
                .MaxBy(bin => int.TryParse(Path.GetFileName(Path.GetDirectoryName(bin)), CultureInfo.InvariantCulture, out var v) ? v : 0)
            : Path.GetDirectoryName(Programs.Find("initdb"));
}
