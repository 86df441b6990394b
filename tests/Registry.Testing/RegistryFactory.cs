using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Registry.Infrastructure.Access.Local;
using Registry.Testing.Processes;
using Registry.Web;
using Xunit;

namespace Registry.Testing;

/// <summary>
/// A registry of its own for a test class: the real composition in this process, on a temporary folder and a free loopback
/// port. <c>REGISTRY_TEST_URL</c> puts a running registry in its place, as long as nothing special is asked for;
/// <c>REGISTRY_TEST_DATABASE=PostgreSql</c> puts the metadata of all tests there, <c>REGISTRY_TEST_STORE=S3</c> their
/// blobs.
/// </summary>
public sealed class RegistryFactory : IAsyncLifetime, IAsyncDisposable
{
    private static readonly string? External = Environment.GetEnvironmentVariable("REGISTRY_TEST_URL");

    private static readonly bool EverythingOnPostgreSql = Environment.GetEnvironmentVariable("REGISTRY_TEST_DATABASE") == "PostgreSql";

    private static readonly bool EverythingOnS3 = Environment.GetEnvironmentVariable("REGISTRY_TEST_STORE") == "S3";

    private readonly TemporaryFolder _folder = new();
    private readonly LogCapture _log = new();
    private readonly Secrets _secrets = new();
    private readonly (string Key, string? Value)[] _settings;
    private readonly Action<IServiceCollection>? _replace;
    private readonly bool _isFirstStart;
    private RegistryClient? _client;
    private WebApplication? _application;

    public RegistryFactory()
        : this([], replace: null)
    {
    }

    private RegistryFactory(
        (string Key, string? Value)[] settings, Action<IServiceCollection>? replace, bool isFirstStart = false)
        => (_settings, _replace, _isFirstStart) = (settings, replace, isFirstStart);

    public RegistryClient Client
        => _client ?? throw new InvalidOperationException("The registry has not been started.");

    public Uri Address => Client.Address;

    /// <summary>The services of the registry in this process.</summary>
    public IServiceProvider Services
        => _application?.Services ?? throw new InvalidOperationException("The registry is not in this process.");

    /// <summary>The folder below which the registry stores everything, unless <c>Registry:Data</c> names another one.</summary>
    public string Data => _folder.Path;

    /// <summary>Starts a registry with settings of its own, keys below <c>Registry:</c>; null leaves one to its default.</summary>
    public static Task<RegistryFactory> StartAsync(params (string Key, string? Value)[] settings)
        => StartAsync(replace: null, settings);

    /// <summary>
    /// Starts a registry with its first user, <c>admin</c>, in it. Others have none, as if all had been removed: to hash a
    /// password costs more than a test.
    /// </summary>
    public static Task<RegistryFactory> StartWithAdminAsync(params (string Key, string? Value)[] settings)
        => StartAsync(new RegistryFactory(settings, replace: null, isFirstStart: true));

    /// <summary>Starts a registry in which a test puts something of its own in the place of a port, or beside it.</summary>
    public static Task<RegistryFactory> StartAsync(
        Action<IServiceCollection>? replace, params (string Key, string? Value)[] settings)
        => StartAsync(new RegistryFactory(settings, replace));

    private static async Task<RegistryFactory> StartAsync(RegistryFactory factory)
    {
        try
        {
            await factory.InitializeAsync();
            return factory;
        }
        catch
        {
            await factory.DisposeAsync(); // a start that was refused leaves no folder behind
            throw;
        }
    }

    /// <summary>For a test that is about PostgreSQL: the setting that puts the metadata there in any case.</summary>
    public static (string Key, string? Value) OnPostgreSql() => ("Database:Kind", "PostgreSql");

    /// <summary>A repository that no other test uses.</summary>
    public static string NewRepository() => $"test/{Guid.NewGuid():N}";

    /// <summary>The settings of a registry for tests: its folder, and everybody may push.</summary>
    public static Dictionary<string, string?> Settings(string data, params (string Key, string? Value)[] others)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Registry:Data"] = data,
            ["Registry:Access:Anonymous"] = "Push",
        };
        foreach (var (key, value) in others)
            settings[$"Registry:{key}"] = value;
        AddBackends(settings);
        return settings;
    }

    /// <summary>What this run of the tests wants of a server that is started as a process on that folder.</summary>
    public static Dictionary<string, string?> Backends(string data)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase) { ["Registry:Data"] = data };
        AddBackends(settings);
        settings.Remove("Registry:Data");
        return settings;
    }

    /// <summary>
    /// A data folder has its schema and its prefix, as it has its files: a test that starts a second registry on it
    /// finds all again.
    /// </summary>
    private static string PlaceOf(string data)
        => $"data_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(data)))[..32]}";

    private static void AddBackends(Dictionary<string, string?> settings)
    {
        var place = PlaceOf(settings["Registry:Data"]!);
        var onPostgreSql = EverythingOnPostgreSql || settings.GetValueOrDefault("Registry:Database:Kind") == "PostgreSql";
        if (onPostgreSql && !settings.ContainsKey("Registry:Database:ConnectionString"))
        {
            settings["Registry:Database:Kind"] = "PostgreSql";
            settings["Registry:Database:ConnectionString"]
                = SharedPostgreSql.UseSchemaAsync(place).GetAwaiter().GetResult();
        }

        // A test that says where the blobs are is about that place.
        const string Store = "Registry:Stores:default:";
        if (EverythingOnS3 && !settings.Keys.Any(key => key.StartsWith(Store, StringComparison.OrdinalIgnoreCase)))
        {
            foreach (var (key, value) in SharedS3.Server.Settings(place))
                settings[Store + key] = value;
        }
    }

    /// <summary>Lets the application listen on a free loopback port.</summary>
    public static void Prepare(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
    }

    /// <summary>Where the application listens once it has been started.</summary>
    public static Uri AddressOf(WebApplication application)
        => new(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Changes the stored bytes of a small blob behind the registry's back; null takes them away.</summary>
    public async Task DamageAsync(TestContent blob, Func<byte[], byte[]?> change)
    {
        if (EverythingOnS3)
        {
            await SharedS3.Server.ChangeAsync($"{PlaceOf(Data)}/", blob.Bytes, change(blob.Bytes));
            return;
        }

        var hex = blob.Digest.Split(':')[1];
        var file = Path.Combine(Data, "blobs/docker/registry/v2/blobs", blob.Algorithm, hex[..2], hex, "data");
        if (change(await File.ReadAllBytesAsync(file)) is { } changed)
            await File.WriteAllBytesAsync(file, changed);
        else
            File.Delete(file);
    }

    public async Task InitializeAsync()
    {
        if (External is not null && _settings.Length == 0 && _replace is null)
        {
            _client = new(new Uri(External));
            return;
        }

        var builder = WebApplication.CreateSlimBuilder();
        var settings = Settings(_folder.Path, _settings);
        foreach (var (key, value) in settings)
            _secrets.AddSetting(key, value);
        builder.Configuration.AddInMemoryCollection(settings);
        Prepare(builder);
        LogCapture.AddTo(builder.Logging, _log);
        builder.Services.AddRegistry(builder.Configuration);
        if (!_isFirstStart)
            builder.Services.RemoveAll<FirstAdmin>();
        _replace?.Invoke(builder.Services);
        _application = builder.Build();
        _application.MapRegistry();
        await _application.StartAsync();
        _client = new(AddressOf(_application), secrets: _secrets);
    }

    public async Task DisposeAsync()
    {
        _client?.Dispose();
        if (_application is not null)
        {
            await _application.StopAsync();
            await _application.DisposeAsync();
        }

        _folder.Dispose();
        _secrets.ExpectNoneIn(_log.Text);
    }

    async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
}
