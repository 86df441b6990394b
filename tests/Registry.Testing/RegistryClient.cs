using System.Net;
using System.Net.Http.Headers;
using Registry.Testing.Processes;

namespace Registry.Testing;

/// <summary>A client that sends what it is told, follows no redirect, and knows the few requests that every test begins with.</summary>
public sealed class RegistryClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly Version? _version;
    private readonly Secrets? _secrets;

    /// <param name="prepare">Changes how it connects.</param>
    /// <param name="version">The one version of HTTP to speak; 1.1 unless given.</param>
    /// <param name="secrets">Gathers the credentials that are sent and got.</param>
    public RegistryClient(
        Uri address, Action<SocketsHttpHandler>? prepare = null, Version? version = null, Secrets? secrets = null)
    {
        (Address, _version, _secrets) = (address, version, secrets);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
        };
        prepare?.Invoke(handler);
        _http = new(handler) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public Uri Address { get; }

    /// <param name="path">Path and query, or a <c>Location</c> as it came.</param>
    /// <param name="headers">Sent as they are; <c>Transfer-Encoding: chunked</c> sends the body without a length.</param>
    public async Task<Answer> SendAsync(string method, string path, byte[]? body = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Address, path));
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        if (_version is not null)
            (request.Version, request.VersionPolicy) = (_version, HttpVersionPolicy.RequestVersionExact);

        foreach (var (name, value) in headers)
        {
            if (name == "Authorization")
                _secrets?.AddAuthorization(value);
            if (name == "Transfer-Encoding")
            {
                request.Headers.TransferEncodingChunked = true;
                request.Content!.Headers.ContentLength = null;
            }
            else if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content ??= new ByteArrayContent([]);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await _http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        if (path.StartsWith("/token", StringComparison.Ordinal) || path.StartsWith("/api/", StringComparison.Ordinal))
        {
            _secrets?.AddBody(body);
            _secrets?.AddBody(bytes);
        }

        return new($"{method} {path}", (int)response.StatusCode,
            [.. Flat(response.Headers), .. Flat(response.Content.Headers)], bytes);
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers)
        => SendAsync("GET", path, null, headers);

    public Task<Answer> HeadAsync(string path, params (string Name, string Value)[] headers)
        => SendAsync("HEAD", path, null, headers);

    public Task<Answer> DeleteAsync(string path, params (string Name, string Value)[] headers)
        => SendAsync("DELETE", path, null, headers);

    public Task<Answer> PostAsync(string path, byte[]? body = null, params (string Name, string Value)[] headers)
        => SendAsync("POST", path, body, headers);

    public Task<Answer> PutAsync(string path, byte[]? body = null, params (string Name, string Value)[] headers)
        => SendAsync("PUT", path, body, headers);

    public Task<Answer> PatchAsync(string path, byte[] body, params (string Name, string Value)[] headers)
        => SendAsync("PATCH", path, body, [("Content-Type", "application/octet-stream"), .. headers]);

    /// <summary>A chunk with its <c>Content-Range</c>, as the specification wants it written.</summary>
    public Task<Answer> PatchChunkAsync(string path, byte[] whole, int start, int length)
        => PatchAsync(path, whole[start..(start + length)], ("Content-Range", $"{start}-{start + length - 1}"));

    /// <returns>The session's location.</returns>
    public async Task<string> StartUploadAsync(string repository)
        => (await PostAsync($"/v2/{repository}/blobs/uploads/")).Expect(202).Location;

    public Task<Answer> CloseAsync(string location, string digest, byte[]? body = null,
        params (string Name, string Value)[] headers)
        => PutAsync(WithQuery(location, $"digest={Uri.EscapeDataString(digest)}"), body,
            [("Content-Type", "application/octet-stream"), .. headers]);

    public async Task<TestContent> PushBlobAsync(string repository, TestContent blob)
    {
        (await CloseAsync(await StartUploadAsync(repository), blob.Digest, blob.Bytes)).Expect(201);
        return blob;
    }

    public Task<Answer> PutManifestAsync(string repository, string reference, TestContent manifest)
        => PutAsync($"/v2/{repository}/manifests/{reference}", manifest.Bytes, ("Content-Type", manifest.MediaType));

    public async Task<TestContent> PushManifestAsync(string repository, string reference, TestContent manifest)
    {
        (await PutManifestAsync(repository, reference, manifest)).Expect(201);
        return manifest;
    }

    /// <summary>Pushes an image of its own: config, one layer, manifest.</summary>
    public async Task<TestContent> PushImageAsync(string repository, string reference)
        => await PushManifestAsync(repository, reference, (await NewImageAsync(repository)).Build());

    /// <summary>An image whose blobs are in the repository, and which is not pushed yet.</summary>
    public async Task<ManifestBuilder> NewImageAsync(string repository)
        => ManifestBuilder.Image(
            await PushBlobAsync(repository, TestContent.Config()),
            await PushBlobAsync(repository, TestContent.Layer()));

    public async Task<ManifestBuilder> NewArtifactAsync(string repository, string artifactType)
    {
        await PushBlobAsync(repository, TestContent.EmptyJson);
        return ManifestBuilder.Artifact(artifactType, await PushBlobAsync(repository, TestContent.Layer()));
    }

    public static string WithQuery(string location, string query)
        => location + (location.Contains('?', StringComparison.Ordinal) ? '&' : '?') + query;

    public void Dispose() => _http.Dispose();

    private static IEnumerable<KeyValuePair<string, string>> Flat(HttpHeaders headers)
        => headers.NonValidated.SelectMany(
            header => header.Value, (header, value) => KeyValuePair.Create(header.Key, value));
}
