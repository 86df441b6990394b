using System.Globalization;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Commands;

/// <summary>What the options do, and which source of a setting wins.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class ServeTests : IDisposable
{
    private readonly WorkFolder _folder = new("serve");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData]
    [InlineData("serve")]
    public async Task Data_is_in_the_working_directory_unless_told_otherwise(params string[] command)
    {
        var port = LoopbackPort.Free();
        await using var server = await ServerProcess.StartAsync(
            _folder, ServerProcess.At(port), environment: null, [.. command, "--port", $"{port}"]);
        Assert.Equal(["data"], Entries());
        Assert.Contains(_folder.Folder("data"), server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_relative_data_folder_counts_from_the_working_directory()
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--data", "some/where");
        await server.Client.PushImageAsync("team/app", "v1");
        Assert.Equal(["some"], Entries());
        Assert.True(File.Exists(_folder.File("some/where/registry.db")));
        Assert.True(Directory.Exists(Path.Combine(_folder.Path, "some/where/blobs/docker/registry/v2/blobs")));
    }

    [Fact]
    public async Task Listening_on_an_address_is_listening_on_no_other()
    {
        var port = LoopbackPort.Free();
        await using var server = await ServerProcess.StartAsync(
            _folder, ServerProcess.At(port, "127.0.0.2"), environment: null, "--listen", "127.0.0.2", "--port", $"{port}");
        using var elsewhere = new RegistryClient(ServerProcess.At(port));
        await Assert.ThrowsAsync<HttpRequestException>(() => elsewhere.GetAsync("/v2/"));
    }

    [Fact]
    public async Task Listening_on_localhost_is_listening_on_both_of_its_addresses()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        using var six = new RegistryClient(ServerProcess.At(server.Client.Address.Port, "[::1]"));
        (await six.GetAsync("/v2/")).Expect(200);
        (await server.Client.GetAsync("/v2/")).Expect(200);
    }

    [Theory]
    [InlineData("none", 401, 401)]
    [InlineData("pull", 200, 401)]
    [InlineData("Push", 200, 202)]
    public async Task What_everybody_may_do_can_be_chosen(string choice, int pull, int push)
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--anonymous", choice);
        (await server.Client.GetAsync("/v2/_catalog")).Expect(pull);
        (await server.Client.PostAsync("/v2/team/app/blobs/uploads/")).Expect(push);
    }

    [Fact]
    public async Task A_file_loses_to_the_environment_which_loses_to_the_command_line()
    {
        await File.WriteAllTextAsync(_folder.File("settings.json"), """
            { "Registry": { "Data": "from-file", "Delete": { "Enabled": false }, "Access": { "Anonymous": "None" }, "Manifests": { "MaxBytes": 1024 } } }
            """);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry__Data"] = "from-environment",
            ["Registry__Access__Anonymous"] = "Push",
        };
        var port = LoopbackPort.Free();
        await using var server = await ServerProcess.StartAsync(
            _folder, ServerProcess.At(port), environment, "--config", "settings.json", "--data", "from-command-line", "--port", $"{port}");

        Assert.Equal(["from-command-line", "settings.json"], Entries());
        (await server.Client.PostAsync("/v2/a/blobs/uploads/")).Expect(202); // the environment's choice
        (await server.Client.DeleteAsync("/v2/a/manifests/v1")).ExpectError(405, "UNSUPPORTED"); // the file's
        (await server.Client.PutManifestAsync("a", "v1", TestContent.Random(2000, ManifestBuilder.OciImage))).Expect(413); // the file's
    }

    [Fact]
    public async Task The_environment_alone_configures_it_all()
    {
        var port = LoopbackPort.Free();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry__Listen__0"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
            ["Registry__Data"] = "elsewhere",
            ["Registry__Stores__default__Root"] = "bytes",
        };
        await using var server = await ServerProcess.StartAsync(_folder, ServerProcess.At(port), environment);
        Assert.Equal(["bytes", "elsewhere"], Entries());
    }

    [Fact]
    public async Task A_file_may_name_several_listeners_and_the_command_line_one_instead()
    {
        var (first, second, third) = (LoopbackPort.Free(), LoopbackPort.Free(), LoopbackPort.Free());
        await File.WriteAllTextAsync(_folder.File("settings.json"), $$"""
            { "Registry": { "Listen": [ "http://127.0.0.1:{{first}}", "http://127.0.0.1:{{second}}" ] } }
            """);
        using var other = new RegistryClient(ServerProcess.At(second));

        await using (await ServerProcess.StartAsync(_folder, ServerProcess.At(first), environment: null, "--config", "settings.json"))
            (await other.GetAsync("/v2/")).Expect(200);

        await using (await ServerProcess.StartAsync(
            _folder, ServerProcess.At(third), environment: null, "--config", "settings.json", "--port", $"{third}"))
            await Assert.ThrowsAsync<HttpRequestException>(() => other.GetAsync("/v2/"));
    }

    [Fact]
    public async Task SIGTERM_ends_it_with_success()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var end = await server.StopAsync();
        Assert.Equal((0, ""), (end.ExitCode, end.Error));
    }

    [Theory]
    [InlineData("--help", "--anonymous")]
    [InlineData("--version", "0.")]
    public async Task Questions_are_answered(string option, string expected)
    {
        var result = await ServerProcess.RunAsync(_folder, environment: null, option);
        Assert.Contains(expected, result.OutputOrThrow(), StringComparison.Ordinal);
        Assert.Empty(Entries());
    }

    private IEnumerable<string?> Entries()
        => Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
