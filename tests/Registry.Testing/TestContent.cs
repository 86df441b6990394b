using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Registry.Testing;

/// <summary>Bytes to push, a blob or a manifest, with what a descriptor says of them.</summary>
/// <param name="Algorithm"><c>sha256</c> or <c>sha512</c>: what <see cref="Digest"/> is in.</param>
public sealed record TestContent(byte[] Bytes, string MediaType = "application/octet-stream",
    string Algorithm = "sha256")
{
    public static readonly TestContent Empty = new([]);

    /// <summary>The content of image-spec's empty descriptor.</summary>
    public static readonly TestContent EmptyJson = new("{}"u8.ToArray(), "application/vnd.oci.empty.v1+json");

    public static TestContent Text(string text, string mediaType = "application/octet-stream")
        => new(Encoding.UTF8.GetBytes(text), mediaType);

    public static TestContent Random(int length, string mediaType = "application/octet-stream")
        => new(RandomNumberGenerator.GetBytes(length), mediaType);

    public static TestContent Layer(int length = 200) => Random(length, "application/vnd.oci.image.layer.v1.tar");

    public static TestContent Config()
        => Text($$"""{"architecture":"amd64","os":"linux","created":"{{Guid.NewGuid()}}"}""", "application/vnd.oci.image.config.v1+json");

    public string Sha256 => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Bytes));

    public string Sha512 => "sha512:" + Convert.ToHexStringLower(SHA512.HashData(Bytes));

    public string Digest => Algorithm == "sha512" ? Sha512 : Sha256;

    public TestContent AsSha512() => this with { Algorithm = "sha512" };

    public JsonObject Descriptor() => new() { ["mediaType"] = MediaType, ["digest"] = Digest, ["size"] = Bytes.Length };
}
