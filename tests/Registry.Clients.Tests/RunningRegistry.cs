using System.Net;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>
/// The registry that all clients talk to: the shipped server as a process, or the one at REGISTRY_TEST_URL, to compare
/// with another implementation. One for all tests; each test uses repositories of its own.
/// </summary>
public sealed class RunningRegistry : IAsyncLifetime
{
    private readonly WorkFolder _data = new("server");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private RegistryProcess? _server;
    private int _repositories;

    public Uri Address { get; private set; } = new("http://127.0.0.1:0/");

    /// <summary>What clients put before the repository's name.</summary>
    public string Host => Address.Authority;

    public async Task InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("REGISTRY_TEST_URL") is { Length: > 0 } url)
        {
            Address = new Uri(url);
            using var answer = await _http.GetAsync(new Uri(Address, "/v2/"));
            answer.EnsureSuccessStatusCode();
            return;
        }

        _server = await RegistryProcess.StartAsync(_data.Path);
        Address = _server.Address;
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _http.Dispose();
        _data.Dispose();
    }

    /// <summary>A repository name that no other test uses.</summary>
    public string NewRepository(string client)
        => $"{client}/{Guid.NewGuid():N}"[..20] + $"-{Interlocked.Increment(ref _repositories)}";

    /// <summary>The digest a tag has, asked for as plain HTTP; null when there is no such manifest.</summary>
    public async Task<string?> DigestOfAsync(string repository, string reference)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, Manifest(repository, reference));
        request.Headers.Accept.ParseAdd("application/vnd.oci.image.manifest.v1+json");
        request.Headers.Accept.ParseAdd("application/vnd.oci.image.index.v1+json");
        request.Headers.Accept.ParseAdd("application/vnd.docker.distribution.manifest.v2+json");
        request.Headers.Accept.ParseAdd("application/vnd.docker.distribution.manifest.list.v2+json");
        using var answer = await _http.SendAsync(request);
        return answer.StatusCode == HttpStatusCode.NotFound
            ? null
            : answer.EnsureSuccessStatusCode().Headers.GetValues("Docker-Content-Digest").Single();
    }

    private Uri Manifest(string repository, string reference)
        => new(Address, $"/v2/{repository}/manifests/{reference}");
}

[CollectionDefinition(nameof(RunningRegistry))]
public sealed class RunningRegistryCollection : ICollectionFixture<RunningRegistry>;
