using System.Text;

namespace Registry.Bench.Load;

/// <summary>Heads of requests as bytes, made before the clock runs where that is possible.</summary>
internal static class HttpRequest
{
    public const string ImageManifest = "application/vnd.oci.image.manifest.v1+json";

    public static byte[] Of(Uri server, string method, string path, params string[] headers)
        => Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: {server.Authority}\r\n"
            + string.Concat(headers.Select(header => header + "\r\n"))
            + "\r\n");

    /// <summary>
    /// A body as docker sends it: of no announced length, in chunks of 32 KiB. Made beforehand, so that sending costs
    /// the client nothing but the copy into the kernel.
    /// </summary>
    public static byte[] Chunked(ReadOnlySpan<byte> content)
    {
        const int chunkBytes = 32 * 1024;
        var encoded = new byte[content.Length + ((content.Length / chunkBytes) + 2) * 16];
        var at = 0;
        while (!content.IsEmpty)
        {
            var chunk = content[..Math.Min(chunkBytes, content.Length)];
            at += Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n", encoded.AsSpan(at));
            chunk.CopyTo(encoded.AsSpan(at));
            at += chunk.Length;
            "\r\n"u8.CopyTo(encoded.AsSpan(at));
            at += 2;
            content = content[chunk.Length..];
        }

        "0\r\n\r\n"u8.CopyTo(encoded.AsSpan(at));
        return encoded[..(at + 5)];
    }
}
