using Registry.Testing.Processes;

namespace Registry.Web.Tests.Stores;

/// <summary>One S3 server for all tests of this project; each registry has a prefix of its own.</summary>
[CollectionDefinition(nameof(S3Servers))]
public sealed class S3Servers : ICollectionFixture<S3ServerFixture>;

public sealed class S3ServerFixture : IAsyncLifetime
{
    private S3Server? _server;

    public S3Server Server => _server ?? throw new InvalidOperationException("There is no S3 server.");

    public async Task InitializeAsync()
    {
        if (Programs.ReasonToSkip(S3Server.Needs) is null)
            _server = await S3Server.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>A registry whose blobs are in the S3 server.</summary>
    /// <param name="address">What stands in front of the server, if anything does.</param>
    public Task<RegistryFactory> StartRegistryAsync(Uri? address = null, params (string Key, string? Value)[] others)
        => RegistryFactory.StartAsync([.. StoreSettings("default", address), .. others]);

    /// <summary>The settings of one store of a registry.</summary>
    public IEnumerable<(string Key, string? Value)> StoreSettings(string name, Uri? address = null)
        => Server.Settings($"test/{Guid.NewGuid():N}", address)
            .Select(setting => ($"Stores:{name}:{setting.Key}", setting.Value));
}

/// <summary>A test that needs an S3 server: skipped by name when its programs are missing, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class S3FactAttribute : FactAttribute
{
    public S3FactAttribute() => Skip = Programs.ReasonToSkip(S3Server.Needs);
}

/// <inheritdoc cref="S3FactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class S3TheoryAttribute : TheoryAttribute
{
    public S3TheoryAttribute() => Skip = Programs.ReasonToSkip(S3Server.Needs);
}
