namespace Registry.Testing.Processes;

/// <summary>
/// A place where clients run: their home, configuration and image stores are temporary, and nothing of the machine's
/// own is read or changed.
/// </summary>
public sealed class ClientWorkspace : IDisposable
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(90);

    private readonly WorkFolder _folder = new("clients");
    private readonly Dictionary<string, string> _environment;

    public ClientWorkspace()
    {
        var home = _folder.Folder("home");
        // vfs needs no kernel feature; the images are small.
        File.WriteAllText(_folder.File("storage.conf"), $"""
            [storage]
            driver = "vfs"
            graphroot = "{_folder.Folder("containers/graph")}"
            runroot = "{_folder.Folder("containers/run")}"
            """);
        File.WriteAllText(
            _folder.File("home/.config/containers/policy.json"),
            """{"default":[{"type":"insecureAcceptAnything"}]}""");
        File.WriteAllText(_folder.File("registries.conf"), "unqualified-search-registries = []\n");
        _environment = new(StringComparer.Ordinal)
        {
            ["HOME"] = home,
            ["LC_ALL"] = "C",
            ["TMPDIR"] = _folder.Folder("tmp"),
            ["XDG_RUNTIME_DIR"] = _folder.Folder("xdg"),
            ["CONTAINERS_STORAGE_CONF"] = _folder.File("storage.conf"),
            ["CONTAINERS_REGISTRIES_CONF"] = _folder.File("registries.conf"),
            ["REGISTRY_AUTH_FILE"] = Path("auth.json"),
            ["DOCKER_CONFIG"] = _folder.Folder("docker"),
            // The classic builder: the other one is a plug-in that Debian does not ship.
            ["DOCKER_BUILDKIT"] = "0",
            // An empty password for the test's own key pair, so that cosign asks nobody.
            ["COSIGN_PASSWORD"] = "",
            ["COSIGN_EXPERIMENTAL"] = "1",
        };
        File.WriteAllText(Path("auth.json"), "{}");
    }

    public string Path(string relativePath) => _folder.File(relativePath);

    public string Folder(string relativePath) => _folder.Folder(relativePath);

    public void Set(string variable, string value) => _environment[variable] = value;

    /// <summary>Writes a text file and returns its path.</summary>
    public string Write(string relativePath, string text)
    {
        File.WriteAllText(Path(relativePath), text);
        return Path(relativePath);
    }

    /// <summary>Runs a command that must succeed, in this folder; returns its standard output.</summary>
    public async Task<string> RunAsync(string program, params string[] arguments)
        => (await TryRunAsync(program, arguments)).OutputOrThrow();

    /// <summary>Runs a command that may fail.</summary>
    public async Task<CommandResult> TryRunAsync(string program, params string[] arguments)
    {
        await using var process = Start(program, arguments);
        return await process.WaitAsync(CommandTimeout);
    }

    public ChildProcess Start(string program, params string[] arguments)
        => ChildProcess.Start(program, arguments, _environment, _folder.Path);

    public void Dispose() => _folder.Dispose();
}
