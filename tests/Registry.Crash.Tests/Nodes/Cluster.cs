using Registry.Testing.Processes;

namespace Registry.Crash.Tests.Nodes;

/// <summary>
/// Three server processes on one PostgreSQL and one S3 server, by configuration alone, for all tests that ask for it.
/// </summary>
public sealed class Cluster : IAsyncLifetime
{
    private const int Size = 3;

    private readonly WorkFolder _data = new("nodes");
    private readonly WorkFolder _secrets = new("nodes-secrets");
    private readonly string _prefix = SharedS3.NewPrefix();
    private readonly RegistryProcess?[] _nodes = new RegistryProcess?[Size];
    private readonly Uri[] _addresses = new Uri[Size];
    private PostgreSqlProcess? _database;

    /// <summary>Why its tests are skipped; null when it can be started.</summary>
    public static string? ReasonToSkip => PostgreSqlProcess.ReasonToSkip ?? S3Server.ReasonToSkip;

    public PostgreSqlProcess Database => _database ?? throw new InvalidOperationException("It has not been started.");

    /// <summary>Where each node is, or was before it was killed.</summary>
    public IReadOnlyList<Uri> Addresses => _addresses;

    public IEnumerable<RegistryProcess> Living => _nodes.OfType<RegistryProcess>();

    /// <summary>What nodes kept for themselves: it would be lost with them.</summary>
    public IReadOnlyList<string> KeptByNodes
        => Directory.GetFileSystemEntries(_data.Path, "*", SearchOption.AllDirectories);

    public async Task InitializeAsync()
    {
        if (ReasonToSkip is not null)
            return;
        await File.WriteAllTextAsync(_secrets.File("password"), "a first password");
        _database = await PostgreSqlProcess.StartAsync("max_connections=100");
        await ReviveAsync();
    }

    /// <summary>Starts the nodes that do not run, all at once; the first time that is on an empty database and store.</summary>
    public Task ReviveAsync()
        => Task.WhenAll(Enumerable.Range(0, Size).Where(node => _nodes[node] is null).Select(async node =>
        {
            var started = await StartAsync($"node{node}");
            (_nodes[node], _addresses[node]) = (started, started.Address);
        }));

    /// <summary>One more node, which its caller disposes of.</summary>
    public Task<RegistryProcess> StartAsync(string name)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry:Database:Kind"] = "PostgreSql",
            ["Registry:Database:ConnectionString"] = Database.ConnectionString(),
            ["Registry:Access:Anonymous"] = "Push",
            ["Registry:Access:Admin:PasswordFile"] = _secrets.File("password"),
        };
        foreach (var (key, value) in SharedS3.Server.Settings(_prefix))
            settings[$"Registry:Stores:default:{key}"] = value!;
        return RegistryProcess.StartAsync(Path.Combine(_data.Path, name), listen: LoopbackPort.OwnAddress(), settings: settings);
    }

    /// <summary>kill -9 of one node.</summary>
    public async Task KillAsync(int node)
    {
        var killed = _nodes[node] ?? throw new InvalidOperationException("It was killed already.");
        _nodes[node] = null;
        killed.KillAbruptly();
        await killed.DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var node in Living)
            await node.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
        _data.Dispose();
        _secrets.Dispose();
    }
}

[CollectionDefinition(nameof(Cluster))]
public sealed class Clusters : ICollectionFixture<Cluster>;

/// <summary>Skipped by name where PostgreSQL or the S3 server is missing, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClusterFactAttribute : FactAttribute
{
    public ClusterFactAttribute() => Skip = Cluster.ReasonToSkip;
}

/// <inheritdoc cref="ClusterFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClusterTheoryAttribute : TheoryAttribute
{
    public ClusterTheoryAttribute() => Skip = Cluster.ReasonToSkip;
}
