using System.Globalization;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Commands;

/// <summary><c>registry health</c>, which containers ask with.</summary>
public sealed class HealthCommandTests : IDisposable
{
    private readonly WorkFolder _folder = new("health");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_that_is_ready_is_healthy_and_nothing_is_said()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var result = await AskAsync("--port", Port(server));
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Theory]
    [InlineData("http://*:{0}")]
    [InlineData("http://127.0.0.1:{0}")]
    [InlineData("http://0.0.0.0:{0}")]
    [InlineData("http://[::]:{0}")]
    public async Task The_configuration_says_where_to_ask(string listener)
    {
        var port = LoopbackPort.Free();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry__Listen__0"] = string.Format(CultureInfo.InvariantCulture, listener, port),
            ["Registry__Access__Anonymous"] = "Pull",
            ["AllowedHosts"] = "registry.example.com;localhost",
            ["http_proxy"] = "http://192.0.2.1:9",
        };
        await using var server = await ServerProcess.StartAsync(_folder, ServerProcess.At(port), environment);
        var result = await ServerProcess.RunAsync(_folder, environment, "health");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    [Fact, Trait(Backend.Trait, Backend.Folder)]
    public async Task A_server_that_is_not_ready_is_not_healthy_and_it_is_said_why()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        File.Delete(_folder.File("data/blobs/registry-store.json"));
        var result = await AskAsync("--port", Port(server));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("503", result.Error, StringComparison.Ordinal);
        Assert.Contains("default", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Where_no_server_is_nothing_is_healthy()
    {
        var result = await AskAsync("--port", LoopbackPort.Free().ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("gives no answer", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_is_named()
    {
        await File.WriteAllTextAsync(_folder.File("wrong.json"), """{ "Registry": { "Lisen": [] } }""");
        var result = await AskAsync("--config", "wrong.json");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Registry:Lisen", result.Error, StringComparison.Ordinal);
    }

    private static string Port(ServerProcess server)
        => server.Client.Address.Port.ToString(CultureInfo.InvariantCulture);

    private Task<CommandResult> AskAsync(params string[] arguments)
        => ServerProcess.RunAsync(_folder, environment: null, ["health", .. arguments]);
}
