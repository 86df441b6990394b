using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads;

/// <summary>Pushes of the smallest parts, as every registry takes them.</summary>
internal static class Image
{
    private static readonly byte[] Config = "{}"u8.ToArray();
    private static readonly byte[] Layer = Encoding.ASCII.GetBytes(new string('x', 4096));

    public static string ConfigDigest { get; } = DigestOf(Config);

    public static string LayerDigest { get; } = DigestOf(Layer);

    public static string DigestOf(ReadOnlySpan<byte> content)
        => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

    /// <summary>An image of one config and one layer; <paramref name="nonce"/> makes its bytes its own.</summary>
    public static byte[] Manifest(string nonce) => Manifest(nonce, (ConfigDigest, Config.Length), (LayerDigest, Layer.Length));

    /// <summary>An image of these blobs.</summary>
    public static byte[] Manifest(
        string nonce, (string Digest, long Size) config, params IEnumerable<(string Digest, long Size)> layers)
        => JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = HttpRequest.ImageManifest,
            config = new
            {
                mediaType = "application/vnd.oci.image.config.v1+json",
                digest = config.Digest,
                size = config.Size,
            },
            layers = layers.Select(layer => new
            {
                mediaType = "application/vnd.oci.image.layer.v1.tar",
                digest = layer.Digest,
                size = layer.Size,
            }),
            annotations = new { nonce },
        });

    /// <summary>Puts the blobs that <see cref="Manifest(string)"/> needs into a repository.</summary>
    public static void PushBlobs(Target target, HttpConnection connection, string repository)
    {
        PushBlob(target, connection, repository, Config, ConfigDigest);
        PushBlob(target, connection, repository, Layer, LayerDigest);
    }

    /// <summary>POST and PUT, the way that is oldest and that all servers know.</summary>
    public static void PushBlob(
        Target target, HttpConnection connection, string repository, ReadOnlySpan<byte> content, string digest)
    {
        var upload = StartUpload(target, connection, repository);
        connection.Send(
            HttpRequest.Of(
                target.Address, "PUT", WithDigest(upload, digest), "Content-Type: application/octet-stream",
                $"Content-Length: {content.Length}"),
            content,
            expected: 201);
    }

    /// <summary>Opens an upload session and returns its path.</summary>
    public static string StartUpload(Target target, HttpConnection connection, string repository)
    {
        connection.Send(
            HttpRequest.Of(target.Address, "POST", $"/v2/{repository}/blobs/uploads/", "Content-Length: 0"), 202);
        return LocationOf(target, connection);
    }

    /// <summary>Where an answer says that the upload goes on.</summary>
    public static string LocationOf(Target target, HttpConnection connection)
        => new Uri(target.Address, connection.Header("Location"u8)!).PathAndQuery;

    public static string WithDigest(string upload, string digest)
        => $"{upload}{(upload.Contains('?') ? '&' : '?')}digest={Uri.EscapeDataString(digest)}";

    /// <summary>Puts a manifest under a tag.</summary>
    public static void PutManifest(
        Target target, HttpConnection connection, string repository, string tag, ReadOnlySpan<byte> manifest)
        => connection.Send(
            HttpRequest.Of(
                target.Address, "PUT", $"/v2/{repository}/manifests/{tag}",
                $"Content-Type: {HttpRequest.ImageManifest}", $"Content-Length: {manifest.Length}"),
            manifest,
            expected: 201);
}
