using System.Globalization;
using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Commands;

/// <summary>The server as it is shipped, started with just these arguments in a folder of its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;
    private readonly Secrets _secrets;

    private ServerProcess(ChildProcess process, Uri address, Secrets secrets)
    {
        (_process, _secrets) = (process, secrets);
        Client = new(address, secrets: secrets);
    }

    public RegistryClient Client { get; }

    /// <summary>The lines of the log so far, each a JSON object.</summary>
    public IReadOnlyList<JsonElement> Log
        => [.. _process.Output.Split('\n')[..^1].Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    /// <summary>All that was written.</summary>
    public string Output => _process.Output + _process.Error;

    /// <summary>Runs a command line that is expected to end by itself.</summary>
    public static async Task<CommandResult> RunAsync(
        WorkFolder folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        await using var process = Start(folder, environment, arguments);
        var result = await process.WaitAsync(Patience);
        SecretsIn(environment).ExpectNoneIn(result.Output + result.Error);
        return result;
    }

    /// <summary>Starts a server and waits until it is ready.</summary>
    /// <param name="address">Where it is expected to listen.</param>
    public static async Task<ServerProcess> StartAsync(
        WorkFolder folder, Uri address, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var server = new ServerProcess(Start(folder, environment, arguments), address, SecretsIn(environment));
        try
        {
            using var deadline = new CancellationTokenSource(Patience);
            while (!await server.IsReadyAsync())
                await Task.Delay(20, deadline.Token);
            return server;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            var output = server.Output;
            await server.DisposeAsync();
            throw new InvalidOperationException($"The server ended at start, or was not ready in time.\n{output}", e);
        }
    }

    /// <summary>Starts a server with these arguments on a free port, on the backends of this run of the tests.</summary>
    public static Task<ServerProcess> StartAsync(WorkFolder folder, params string[] arguments)
    {
        var port = LoopbackPort.Free();
        var environment = RegistryFactory.Backends(folder.Path)
            .ToDictionary(
                setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value!,
                StringComparer.Ordinal);
        return StartAsync(folder, At(port), environment, ["--port", port.ToString(CultureInfo.InvariantCulture), .. arguments]);
    }

    public static Uri At(int port, string host = "127.0.0.1") => new($"http://{host}:{port}/");

    /// <summary>SIGTERM, and what came of it.</summary>
    public async Task<CommandResult> StopAsync()
    {
        Assert.True(await _process.StopAsync(TimeSpan.FromSeconds(30)), $"The server had to be killed.\n{Output}");
        return await _process.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        _secrets.ExpectNoneIn(Output);
    }

    private static Secrets SecretsIn(IReadOnlyDictionary<string, string>? environment)
    {
        var secrets = new Secrets();
        foreach (var (key, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            secrets.AddSetting(key, value);
        return secrets;
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            // The name that is among the AllowedHosts of a test, if it has any.
            return (await Client.GetAsync("/healthz/ready", ("Host", "localhost"))).Status == 200;
        }
        catch (HttpRequestException) when (!_process.HasExited)
        {
            return false; // not listening yet
        }
    }

    /// <summary>Starts a server and waits for nothing.</summary>
    public static ChildProcess Begin(
        WorkFolder folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
        => Start(folder, environment, arguments);

    private static ChildProcess Start(WorkFolder folder, IReadOnlyDictionary<string, string>? environment, string[] arguments)
    {
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>(), StringComparer.Ordinal) { ["DOTNET_NOLOGO"] = "1" };
        // The runtime may be installed where only this variable says.
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root)
            variables["DOTNET_ROOT"] = root;
        return ChildProcess.Start("dotnet", [RepositoryRoot.ServerAssembly, .. arguments], variables, folder.Path);
    }
}
