using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Registry.Testing.Processes;

/// <summary>
/// A real S3 server of the test's own (Ceph's RADOS gateway), on a free port and a temporary folder. It goes with its
/// owner, and when the test process ends without a word, with that.
/// </summary>
public sealed class S3Server : IAsyncDisposable
{
    /// <summary>Without these there is none.</summary>
    public static readonly string[] Needs = ["ceph-mon", "ceph-osd", "radosgw", "curl"];

    // The daemons are nobody's children. What ends a whole group of processes must not end this one.
    private const string Watch =
        """
        trap '' HUP INT TERM
        while kill -0 "$OWNER" 2>/dev/null; do sleep 0.5; done
        bash "$SCRIPT" wipe "$FOLDER/data"
        rm -rf "$FOLDER"
        """;

    private static readonly string Script = Path.Combine(RepositoryRoot.Path, "tests", "services", "s3.sh");

    private readonly WorkFolder _folder = new("s3");
    private readonly bool _inMemory;
    private readonly int _port = FreePorts(10);
    private ChildProcess? _watch;

    private readonly int _gigabytes;

    private S3Server(bool inMemory, int gigabytes) => (_inMemory, _gigabytes) = (inMemory, gigabytes);

    /// <summary>Why tests that need it are skipped; null when it can be started.</summary>
    public static string? ReasonToSkip => Programs.ReasonToSkip(Needs);

    public Uri Address => new($"http://127.0.0.1:{_port}/");

    public string AccessKey => "registry-test";

    public string SecretKey => "secret-of-the-test";

    public string Bucket => "registry-test";

    /// <param name="inMemory">Starts in a second, and forgets everything when it is stopped.</param>
    /// <param name="gigabytes">How much it holds at most.</param>
    public static async Task<S3Server> StartAsync(bool inMemory = true, int gigabytes = 20)
    {
        var server = new S3Server(inMemory, gigabytes);
        try
        {
            await server.ResumeAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Settings of a store in this server, keys below <c>Registry:Stores:NAME:</c>.</summary>
    /// <param name="address">What stands in front of the server, if anything does.</param>
    public Dictionary<string, string?> Settings(string prefix, Uri? address = null) => new(StringComparer.Ordinal)
    {
        ["Kind"] = "S3",
        ["ServiceUrl"] = (address ?? Address).ToString(),
        ["Bucket"] = Bucket,
        ["Prefix"] = prefix,
        ["AccessKey"] = AccessKey,
        ["SecretKey"] = SecretKey,
    };

    /// <summary>kill -9 of the gateway; what it has stored stays.</summary>
    public void KillGateway()
    {
        var pid = int.Parse(File.ReadAllText(_folder.File("data/run/rgw.pid")), CultureInfo.InvariantCulture);
        using var gateway = System.Diagnostics.Process.GetProcessById(pid);
        gateway.Kill();
        gateway.WaitForExit(TimeSpan.FromSeconds(10));
    }

    /// <summary>Starts what does not run, and returns when the bucket can be used.</summary>
    public Task ResumeAsync()
    {
        _watch ??= ChildProcess.Start(
            "bash",
            ["-c", $"({Watch}) >/dev/null 2>&1"],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["OWNER"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
                ["SCRIPT"] = Script,
                ["FOLDER"] = _folder.Path,
            });
        return RunAsync("start", _port.ToString(CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null)
            await _watch.DisposeAsync();
        await RunAsync("wipe");
        _folder.Dispose();
    }

    private async Task RunAsync(string command, params string[] arguments)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["S3_STORE"] = _inMemory ? "memstore" : "bluestore",
            ["S3_SIZE_GB"] = _gigabytes.ToString(CultureInfo.InvariantCulture),
            ["S3_ACCESS_KEY"] = AccessKey,
            ["S3_SECRET_KEY"] = SecretKey,
            ["S3_BUCKET"] = Bucket,
        };
        await using var script = ChildProcess.Start(
            "bash", [Script, command, _folder.File("data"), .. arguments], environment, _folder.Path);
        (await script.WaitAsync(TimeSpan.FromMinutes(2))).OutputOrThrow();
    }

    // The first of so many ports in a row that nobody listens on now.
    private static int FreePorts(int count)
    {
        for (var tries = 0; tries < 100; tries++)
        {
            var first = Random.Shared.Next(20_000, 30_000);
            if (Enumerable.Range(first, count).All(IsFree))
                return first;
        }

        throw new InvalidOperationException($"No {count} free ports in a row.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
