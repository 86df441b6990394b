using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Crash.Tests;

/// <summary>How a blob is sent (distribution-spec, "Pushing blobs").</summary>
internal enum PushWay
{
    /// <summary>POST, several PATCHes, PUT.</summary>
    Chunks,

    /// <summary>POST, one PATCH of unknown length, PUT: what docker does.</summary>
    Stream,

    /// <summary>POST, then PUT with the content.</summary>
    Put,

    /// <summary>POST with digest and content.</summary>
    Post,
}

/// <summary>The few requests of a push and a pull, without the retries with which real clients hide a fault.</summary>
/// <param name="way">What is between the client and its servers; its owner disposes of it.</param>
internal sealed class PlainClient(Uri address, HttpMessageHandler? way = null) : IDisposable
{
    public const string ImageManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string ImageIndex = "application/vnd.oci.image.index.v1+json";

    private readonly HttpClient _http = new(
        way ?? new SocketsHttpHandler { MaxConnectionsPerServer = 64 }, disposeHandler: way is null)
    {
        Timeout = TimeSpan.FromMinutes(30),
    };

    /// <summary>Returns when the blob was accepted with 201; every other answer is an error.</summary>
    public async Task PushAsync(string repository, GeneratedContent blob, PushWay way)
    {
        if (way == PushWay.Post)
        {
            var whole = new Uri(address, $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}");
            await SendAsync(HttpMethod.Post, whole, Body(blob.Open(), blob.Length), HttpStatusCode.Created);
            return;
        }

        var upload = await StartUploadAsync(repository);
        switch (way)
        {
            case PushWay.Chunks:
                var chunk = Math.Max(1, blob.Length / 3);
                for (long at = 0; at < blob.Length; at += chunk)
                {
                    var length = Math.Min(chunk, blob.Length - at);
                    upload = await AppendAsync(upload, Body(blob.Open(at, length), length), at);
                }

                await CompleteAsync(upload, blob.Digest);
                break;
            case PushWay.Stream:
                upload = await AppendAsync(upload, Body(blob.Open(), null));
                await CompleteAsync(upload, blob.Digest);
                break;
            default:
                await CompleteAsync(upload, blob.Digest, Body(blob.Open(), blob.Length));
                break;
        }
    }

    public Task<Uri> StartUploadAsync(string repository)
        => SendAsync(
            HttpMethod.Post, new Uri(address, $"/v2/{repository}/blobs/uploads/"), null, HttpStatusCode.Accepted);

    /// <summary>Sends a chunk, with Content-Range when its place is given; returns where to go on.</summary>
    public Task<Uri> AppendAsync(Uri upload, HttpContent content, long? at = null)
    {
        if (at is { } start)
        {
            var last = start + content.Headers.ContentLength - 1;
            content.Headers.TryAddWithoutValidation("Content-Range", $"{start}-{last}");
        }

        return SendAsync(HttpMethod.Patch, upload, content, HttpStatusCode.Accepted);
    }

    public Task CompleteAsync(Uri upload, string digest, HttpContent? content = null)
        => SendAsync(HttpMethod.Put, WithDigest(upload, digest), content, HttpStatusCode.Created);

    /// <summary>How many bytes of the upload the server has, and where to go on.</summary>
    public async Task<(Uri Upload, long Offset)> AskOffsetAsync(Uri upload)
    {
        using var answer = await _http.GetAsync(upload);
        await ExpectAsync(answer, HttpStatusCode.NoContent);
        // "0-N" is inclusive, and "0-0" is what an empty upload says too: no test leaves exactly one byte.
        var last = long.Parse(answer.Headers.GetValues("Range").Single().Split('-')[1], CultureInfo.InvariantCulture);
        var next = answer.Headers.Location is { } location ? new Uri(upload, location) : upload;
        return (next, last == 0 ? 0 : last + 1);
    }

    public async Task PutManifestAsync(
        string repository, string reference, byte[] manifest, string mediaType = ImageManifest)
    {
        var body = new ByteArrayContent(manifest);
        body.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        await SendAsync(HttpMethod.Put, ManifestAddress(repository, reference), body, HttpStatusCode.Created);
    }

    public Task<bool> HasBlobAsync(string repository, string digest)
        => HasAsync(new Uri(address, $"/v2/{repository}/blobs/{digest}"));

    public Task<bool> HasManifestAsync(string repository, string reference)
        => HasAsync(ManifestAddress(repository, reference));

    /// <summary>Whether the blob could be mounted; if not, an upload has begun that nobody will end.</summary>
    public async Task<bool> MountAsync(string repository, string digest, string from)
    {
        using var answer = await _http.PostAsync(
            new Uri(address, $"/v2/{repository}/blobs/uploads/?mount={digest}&from={from}"), null);
        if (answer.StatusCode != HttpStatusCode.Accepted)
            await ExpectAsync(answer, HttpStatusCode.Created);
        return answer.StatusCode == HttpStatusCode.Created;
    }

    /// <summary>Null when there is no such blob; else the digest and length of what really came.</summary>
    public async Task<(string Digest, long Length)?> PullBlobAsync(string repository, string digest)
    {
        using var answer = await _http.GetAsync(
            new Uri(address, $"/v2/{repository}/blobs/{digest}"), HttpCompletionOption.ResponseHeadersRead);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return null;
        await ExpectAsync(answer, HttpStatusCode.OK);
        var algorithm = digest.Split(':')[0];
        using var hash = IncrementalHash.CreateHash(NameOf(algorithm));
        await using var content = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[256 * 1024];
        long length = 0;
        int read;
        while ((read = await content.ReadAsync(buffer)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            length += read;
        }

        Assert.Equal(answer.Content.Headers.ContentLength, length);
        return ($"{algorithm}:{Convert.ToHexStringLower(hash.GetHashAndReset())}", length);
    }

    /// <summary>Null when there is no such manifest.</summary>
    public async Task<byte[]?> PullManifestAsync(string repository, string reference)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, ManifestAddress(repository, reference));
        request.Headers.Accept.ParseAdd(ImageManifest);
        request.Headers.Accept.ParseAdd(ImageIndex);
        using var answer = await _http.SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return null;
        await ExpectAsync(answer, HttpStatusCode.OK);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    public async Task<HashSet<string>> ListTagsAsync(string repository)
    {
        var json = await _http.GetStringAsync(new Uri(address, $"/v2/{repository}/tags/list"));
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("tags").EnumerateArray().Select(t => t.GetString()!)];
    }

    /// <summary>An image manifest over blobs that the repository has.</summary>
    public static byte[] Manifest(GeneratedContent config, params GeneratedContent[] layers)
        => JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ImageManifest,
            config = new { mediaType = "application/vnd.example.config", digest = config.Digest, size = config.Length },
            layers = layers.Select(layer => new
            {
                mediaType = "application/vnd.example.layer",
                digest = layer.Digest,
                size = layer.Length,
            }),
        });

    /// <summary>An index over image manifests that the repository has.</summary>
    public static byte[] Index(params (string Architecture, byte[] Manifest)[] images)
        => JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ImageIndex,
            manifests = images.Select(image => new
            {
                mediaType = ImageManifest,
                digest = ImageLayout.DigestOf(image.Manifest),
                size = image.Manifest.Length,
                platform = new { architecture = image.Architecture, os = "linux" },
            }),
        });

    public static HashAlgorithmName NameOf(string algorithm)
        => algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;

    public void Dispose() => _http.Dispose();

    public static StreamContent Body(Stream content, long? length)
    {
        var body = new StreamContent(content, 256 * 1024);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        // Without a length the content goes out in chunks.
        body.Headers.ContentLength = length;
        return body;
    }

    private async Task<Uri> SendAsync(HttpMethod method, Uri uri, HttpContent? content, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(method, uri) { Content = content };
        if (content is { Headers.ContentLength: null })
            request.Headers.TransferEncodingChunked = true;
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await ExpectAsync(answer, expected);
        return answer.Headers.Location is { } location ? new Uri(uri, location) : uri;
    }

    /// <summary>A wrong answer of a living server is a failure of its own, not an interrupted push.</summary>
    private static async Task ExpectAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        if (answer.StatusCode == expected)
            return;
        var body = await answer.Content.ReadAsStringAsync();
        throw new WrongAnswerException(string.Create(
            CultureInfo.InvariantCulture,
            $"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri} answered {(int)answer.StatusCode}, "
            + $"not {(int)expected}: {body}"));
    }

    private async Task<bool> HasAsync(Uri place)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, place);
        using var answer = await _http.SendAsync(request);
        if (answer.StatusCode != HttpStatusCode.NotFound)
            await ExpectAsync(answer, HttpStatusCode.OK);
        return answer.IsSuccessStatusCode;
    }

    private Uri ManifestAddress(string repository, string reference)
        => new(address, $"/v2/{repository}/manifests/{reference}");

    private static Uri WithDigest(Uri upload, string digest)
        => new($"{upload}{(upload.Query.Length > 0 ? '&' : '?')}digest={Uri.EscapeDataString(digest)}");
}

internal sealed class WrongAnswerException(string message) : Exception(message);
