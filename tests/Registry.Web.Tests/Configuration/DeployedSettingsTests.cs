using System.Globalization;
using System.Text.RegularExpressions;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.Configuration;

/// <summary>The server knows the settings in the files that users copy, and takes their values.</summary>
public sealed partial class DeployedSettingsTests : IDisposable
{
    private const string Accepted = "cannot be reached";

    private readonly WorkFolder _folder = new("deployed");

    public DeployedSettingsTests()
    {
        File.WriteAllText(_folder.File("s3-secret"), "secret");
        File.WriteAllText(_folder.File("admin-password"), "the first password");
        File.WriteAllText(
            _folder.File("database"), "Host=127.0.0.1;Port=1;Database=registry;Username=registry;Password=secret");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("deploy/compose.yaml", 11)]
    [InlineData("deploy/registry.service.d/cluster.conf", 10)]
    public async Task A_node_of_several_gets_as_far_as_its_database(string file, int count)
    {
        var settings = Read(file);
        Assert.Equal(count, settings.Count);
        var end = await ServerProcess.RunAsync(_folder, settings);
        Assert.Contains(Accepted, end.Error, StringComparison.Ordinal);
        Assert.Contains("Registry:Database:ConnectionString", end.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Registry__Stores__default__SecretKeyFile", "Registry__Stores__default__SecretFile")]
    [InlineData("Registry__Database__Kind", "Registry__Databases__Kind")]
    public async Task A_setting_that_is_misspelt_would_be_noticed(string key, string misspelt)
    {
        var settings = Read("deploy/compose.yaml");
        Assert.True(settings.Remove(key, out var value));
        settings[misspelt] = value;
        var end = await ServerProcess.RunAsync(_folder, settings);
        Assert.Contains("is not a known setting", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_minimal_set_up_starts_with_the_settings_of_the_image()
    {
        var port = LoopbackPort.Free();
        var settings = Read("Dockerfile");
        Assert.Equal("http://*:5000", settings["Registry__Listen__0"]);
        settings["Registry__Listen__0"] = string.Create(CultureInfo.InvariantCulture, $"http://*:{port}");
        settings["Registry__Data"] = _folder.File("volume");
        foreach (var (key, value) in Read("deploy/compose.minimal.yaml"))
            settings[key] = value;
        await using var server = await ServerProcess.StartAsync(_folder, ServerProcess.At(port), settings);
        await server.Client.PushImageAsync("team/app", "v1");
        Assert.True(File.Exists(_folder.File("volume/registry.db")));
    }

    // KEY: VALUE of YAML, KEY=VALUE of the others, examples in comments too; a secret's file is one of the test's own.
    private Dictionary<string, string> Read(string file)
        => Setting().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, file))).ToDictionary(
            match => match.Groups["key"].Value,
            match => SecretFolder().Replace(match.Groups["value"].Value, $"{_folder.Path}/"),
            StringComparer.Ordinal);

    [GeneratedRegex(@"(?<key>Registry__[A-Za-z0-9_]+|AllowedHosts)(?:: |=)(?<value>[^\s\\]+)")]
    private static partial Regex Setting();

    [GeneratedRegex("^(?:/run/secrets|%d)/")]
    private static partial Regex SecretFolder();
}
