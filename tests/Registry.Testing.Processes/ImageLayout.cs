using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace Registry.Testing.Processes;

/// <summary>One manifest of an OCI layout.</summary>
public sealed record LayoutEntry(string MediaType, string Digest, long Size, byte[] Bytes);

/// <summary>Writes images into an OCI layout folder; skopeo and others read it, so no image is ever downloaded.</summary>
public sealed class ImageLayout
{
    private const string ImageManifest = "application/vnd.oci.image.manifest.v1+json";
    private const string ImageIndex = "application/vnd.oci.image.index.v1+json";

    private readonly List<object> _named = [];
    private readonly string _folder;

    public ImageLayout(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(Path.Combine(folder, "blobs/sha256"));
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    /// <summary>Adds an image with one layer per given size, each a tar of random bytes.</summary>
    public LayoutEntry AddImage(string? tag, string architecture, params int[] layerBytes)
    {
        var layers = new List<object>();
        var diffIds = new List<string>();
        foreach (var size in layerBytes)
        {
            var tar = Tar("data.bin", RandomNumberGenerator.GetBytes(size));
            var compressed = Gzip(tar);
            diffIds.Add(DigestOf(tar));
            layers.Add(new
            {
                mediaType = "application/vnd.oci.image.layer.v1.tar+gzip",
                digest = AddBlob(compressed),
                size = compressed.Length,
            });
        }

        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture,
            os = "linux",
            config = new { Cmd = new[] { "/data.bin" } },
            rootfs = new { type = "layers", diff_ids = diffIds },
        });
        return AddManifest(tag, ImageManifest, new
        {
            schemaVersion = 2,
            mediaType = ImageManifest,
            config = new
            {
                mediaType = "application/vnd.oci.image.config.v1+json",
                digest = AddBlob(config),
                size = config.Length,
            },
            layers,
        });
    }

    /// <summary>Adds an index over images of this layout.</summary>
    public LayoutEntry AddIndex(string tag, params (string Architecture, LayoutEntry Image)[] images)
        => AddManifest(tag, ImageIndex, new
        {
            schemaVersion = 2,
            mediaType = ImageIndex,
            manifests = images.Select(i => new
            {
                mediaType = i.Image.MediaType,
                digest = i.Image.Digest,
                size = i.Image.Size,
                platform = new { architecture = i.Architecture, os = "linux" },
            }),
        });

    private LayoutEntry AddManifest(string? tag, string mediaType, object manifest)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest);
        var entry = new LayoutEntry(mediaType, AddBlob(bytes), bytes.Length, bytes);
        if (tag is not null)
        {
            _named.Add(new
            {
                mediaType,
                digest = entry.Digest,
                size = entry.Size,
                annotations = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["org.opencontainers.image.ref.name"] = tag,
                },
            });
            File.WriteAllBytes(
                Path.Combine(_folder, "index.json"),
                JsonSerializer.SerializeToUtf8Bytes(new { schemaVersion = 2, manifests = _named }));
        }

        return entry;
    }

    private string AddBlob(byte[] content)
    {
        var digest = DigestOf(content);
        File.WriteAllBytes(Path.Combine(_folder, "blobs", digest.Replace(':', '/')), content);
        return digest;
    }

    public static string DigestOf(ReadOnlySpan<byte> content)
        => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

    /// <summary>A tar archive of one file.</summary>
    public static byte[] Tar(string name, byte[] content)
    {
        using var buffer = new MemoryStream(content.Length + 4096);
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(content),
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        }

        return buffer.ToArray();
    }

    // Random bytes do not shrink: storing them is all the compression costs.
    private static byte[] Gzip(byte[] content)
    {
        using var buffer = new MemoryStream(content.Length + 4096);
        using (var gzip = new GZipStream(buffer, CompressionLevel.NoCompression, leaveOpen: true))
            gzip.Write(content);
        return buffer.ToArray();
    }
}
