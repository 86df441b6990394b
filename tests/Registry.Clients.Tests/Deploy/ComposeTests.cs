using System.Text.RegularExpressions;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>The files for docker compose, as far as they can be judged without the images that they name.</summary>
public sealed partial class ComposeTests : IDisposable
{
    private readonly ClientWorkspace _work = new();

    public ComposeTests()
    {
        var deploy = _work.Folder("deploy");
        foreach (var file in Directory.GetFiles(ShippedFile.FolderPath))
            File.Copy(file, Path.Combine(deploy, Path.GetFileName(file)));
    }

    public void Dispose() => _work.Dispose();

    [ClientFact("docker-compose")]
    public async Task Compose_understands_the_minimal_file()
        => Assert.Contains("registry-server", await ConfigureAsync("compose.minimal.yaml"), StringComparison.Ordinal);

    [ClientFact("docker-compose")]
    public async Task Compose_understands_the_file_of_two_nodes_and_finds_what_it_mounts()
    {
        await MakeSecretsAsync();
        var understood = await ConfigureAsync("compose.yaml");

        var paths = HostPath().Matches(understood).Select(match => match.Value).Distinct().ToArray();
        Assert.Equal(8, paths.Length);
        Assert.All(paths, path => Assert.True(File.Exists(path), $"{path} is missing."));
        Assert.Equal(2, Regex.Count(understood, "^ +image: registry-server$", RegexOptions.Multiline));
    }

    [ClientFact("docker-compose")]
    public async Task No_port_is_open_to_other_machines()
    {
        foreach (var file in (string[])["compose.yaml", "compose.minimal.yaml"])
        {
            var ports = PublishedPort().Matches(await ConfigureAsync(file)).Select(match => match.Groups[1].Value);
            Assert.Equal(["127.0.0.1:5000:5000/tcp"], ports);
        }
    }

    [Fact]
    public async Task Secrets_are_random_kept_from_others_and_made_once()
    {
        await MakeSecretsAsync();
        var first = ReadSecrets();
        await MakeSecretsAsync();

        Assert.Equal(["admin-password", "database", "minio-root-password", "postgres-password", "s3-secret"], first.Keys);
        Assert.Equal(first, ReadSecrets());
        var random = first.Where(secret => secret.Key != "database").Select(secret => secret.Value).ToArray();
        Assert.Equal(4, random.Distinct(StringComparer.Ordinal).Count());
        Assert.All(random, secret => Assert.Matches("^[0-9a-f]{48}$", secret));
        Assert.Equal(
            $"Host=postgres;Database=registry;Username=registry;Password={first["postgres-password"]}\n",
            first["database"]);
        Assert.Equal("700\n", await _work.RunAsync("stat", "--format=%a", _work.Path("deploy/secrets")));
    }

    [ClientFact("bash")]
    public async Task The_scripts_have_no_error_of_syntax()
    {
        foreach (var script in Directory.GetFiles(ShippedFile.FolderPath, "*.sh"))
            await _work.RunAsync("sh", "-n", script);
    }

    private Task<string> ConfigureAsync(string file)
        => _work.RunAsync("docker-compose", "--file", _work.Path($"deploy/{file}"), "config");

    private Task MakeSecretsAsync() => _work.RunAsync("sh", _work.Path("deploy/make-secrets.sh"));

    private SortedDictionary<string, string> ReadSecrets() => new(
        Directory.GetFiles(_work.Path("deploy/secrets")).ToDictionary(f => Path.GetFileName(f), File.ReadAllText),
        StringComparer.Ordinal);

    // Of a mount or a secret: the path of this machine.
    [GeneratedRegex(@"(?<=(?:- |file: ))/[^:\s]+/deploy/[^:\s]+")]
    private static partial Regex HostPath();

    [GeneratedRegex(@"ports:\n +- (\S+)\n")]
    private static partial Regex PublishedPort();
}
