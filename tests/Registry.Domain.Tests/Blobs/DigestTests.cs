using System.Text;
using Registry.Domain.Blobs;

namespace Registry.Domain.Tests.Blobs;

public sealed class DigestTests
{
    private const string Empty256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Abc256 = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private const string Empty512 = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    private const string Abc512 = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    public static TheoryData<string, string> Vectors => new()
    {
        { "", Empty256 },
        { "abc", Abc256 },
        { "", Empty512 },
        { "abc", Abc512 },
    };

    public static TheoryData<string?> Malformed =>
    [
        null,
        "",
        ":",
        "sha256",
        "sha256:",
        "sha256:xyz",
        Empty256[..^1],
        Empty256 + "0",
        Empty256 + "\n",
        Empty256 + "\0",
        " " + Empty256,
        Empty256.ToUpperInvariant(),
        "SHA256:" + Empty256[7..],
        "sha256:" + Empty256[7..].ToUpperInvariant(),
        Empty256[..^1] + "E",
        Empty256[..^1] + "g",
        Empty256[..^1] + "٣",
        "sha256:sha256:" + Empty256[7..],
        "sha256::" + Empty256[7..],
        Empty256.Replace(':', '-'),
        "sha512:" + Empty256[7..],
        "sha256:" + Empty512[7..],
        Empty512[..^1],
        "sha384:" + new string('0', 96),
        "md5:" + new string('0', 32),
        "sha1:" + new string('0', 40),
        "sha256+b64:" + new string('0', 64),
        "blake3:" + new string('0', 64),
        ":" + new string('0', 64),
    ];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_digest_of_content_is_that_of_the_published_vectors(string content, string expected)
    {
        var digest = Digest.Parse(expected);
        Assert.Equal(expected, Digest.Of(Encoding.ASCII.GetBytes(content), digest.Algorithm).ToString());
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_digest_survives_text_and_hash(string content, string text)
    {
        Assert.NotNull(content);
        Assert.True(Digest.TryParse(text, out var digest));
        Assert.Equal(text, digest.ToString());
        Assert.Equal(text, $"{digest.Algorithm}:{digest.Hex}");
        Assert.Equal(digest.Algorithm.ByteLength, digest.ToHash().Length);
        Assert.Equal(digest, Digest.FromHash(digest.Algorithm, digest.ToHash()));
        Assert.Equal(digest.GetHashCode(), Digest.FromHash(digest.Algorithm, digest.ToHash()).GetHashCode());
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Anything_else_is_no_digest(string? text) => Assert.False(Digest.TryParse(text, out _));

    [Fact]
    public void Parse_refuses_what_TryParse_refuses()
        => Assert.Throws<FormatException>(() => Digest.Parse(Empty256.ToUpperInvariant()));

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(64)]
    public void A_hash_of_another_length_makes_no_sha256_digest(int length)
        => Assert.Throws<ArgumentException>(() => Digest.FromHash(DigestAlgorithm.Sha256, new byte[length]));

    [Fact]
    public void Digests_differ_by_algorithm_and_by_hash()
    {
        Assert.NotEqual(Digest.Parse(Empty256), Digest.Parse(Abc256));
        Assert.NotEqual(Digest.Parse(Abc256), Digest.Parse(Abc512));
        Assert.Same(DigestAlgorithm.Sha256, Digest.Parse(Abc256).Algorithm);
        Assert.Same(DigestAlgorithm.Sha512, Digest.Parse(Abc512).Algorithm);
    }

    [Theory]
    [InlineData("sha256", true)]
    [InlineData("sha512", true)]
    [InlineData("SHA256", false)]
    [InlineData("sha384", false)]
    [InlineData("sha256\n", false)]
    [InlineData("sha256 ", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Two_algorithms_are_registered(string? text, bool known)
    {
        Assert.Equal(known, DigestAlgorithm.TryParse(text, out var algorithm));
        Assert.Equal(known ? text : null, algorithm?.ToString());
    }

    [Fact]
    public void No_string_makes_the_parser_throw_and_what_it_takes_stays_as_it_was()
    {
        Texts.ForAny(text => !Digest.TryParse(text, out var digest) || digest.ToString() == text);
        Texts.ForNear([Empty256, Abc512, "sha256:abc"], text => !Digest.TryParse(text, out var digest)
            || (digest.ToString() == text && Digest.FromHash(digest.Algorithm, digest.ToHash()) == digest));
    }
}
