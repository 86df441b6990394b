using Registry.Domain.Manifests;

namespace Registry.Domain.Tests.Manifests;

public sealed class MediaTypeTests
{
    [Theory]
    [InlineData("application/json", "application/json")]
    [InlineData("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.manifest.v1+json")]
    [InlineData("application/vnd.oci.image.manifest.v1+json; charset=utf-8", "application/vnd.oci.image.manifest.v1+json")]
    [InlineData("application/json;a=b;c=\"d;e\"", "application/json")]
    [InlineData(" application/json ; q=1", "application/json")]
    [InlineData("application/json;", "application/json")]
    [InlineData("1/2", "1/2")]
    [InlineData("a!#$&-^_.+/b!#$&-^_.+", "a!#$&-^_.+/b!#$&-^_.+")]
    [InlineData("Application/JSON", "Application/JSON")]
    public void A_media_type_loses_its_parameters_and_nothing_else(string text, string expected)
    {
        Assert.True(MediaType.TryParse(text, out var mediaType));
        Assert.Equal(expected, mediaType.ToString());
        Assert.Equal(MediaType.Parse(expected), mediaType);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(";")]
    [InlineData("; charset=utf-8")]
    [InlineData("/")]
    [InlineData("application")]
    [InlineData("application/")]
    [InlineData("/json")]
    [InlineData("application/json/x")]
    [InlineData("application//json")]
    [InlineData("*/*")]
    [InlineData("application/*")]
    [InlineData("a b/c")]
    [InlineData("a/b c")]
    [InlineData("a /b")]
    [InlineData(".a/b")]
    [InlineData("a/+b")]
    [InlineData("a/b\0")]
    [InlineData("a/b\u200b")]
    [InlineData("é/b")]
    [InlineData("a/b,c/d")]
    [InlineData("\"a\"/b")]
    [InlineData("a\n/b")]
    [InlineData("a/b\n")]
    [InlineData("a/b\u00a0")]
    [InlineData("\u2003a/b")]
    public void Anything_else_is_no_media_type(string? text)
    {
        Assert.False(MediaType.TryParse(text, out _));
        if (text is not null)
            Assert.Throws<FormatException>(() => MediaType.Parse(text));
    }

    [Fact]
    public void Each_half_has_up_to_127_characters()
    {
        var longest = new string('a', 127);
        Assert.True(MediaType.TryParse($"{longest}/{longest}", out _));
        Assert.False(MediaType.TryParse($"{longest}a/b", out _));
        Assert.False(MediaType.TryParse($"b/{longest}a", out _));
        Assert.False(MediaType.TryParse("a/b;" + new string('c', 2000), out _));
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar", true)]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true)]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", true)]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true)]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar", true)]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip", false)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip", false)]
    public void Layers_that_need_not_be_here_are_told_by_their_type(string text, bool elsewhere)
        => Assert.Equal(elsewhere, MediaType.Parse(text).IsNonDistributableLayer);

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+json", true)]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", true)]
    [InlineData("application/vnd.docker.distribution.manifest.v2+json", false)]
    [InlineData("application/vnd.oci.image.manifest.v1+json", false)]
    public void Schema_1_is_told_by_its_type(string text, bool schema1) => Assert.Equal(schema1, MediaType.Parse(text).IsSchema1);

    [Fact]
    public void No_string_makes_the_parser_throw_and_what_it_takes_parses_to_the_same_again()
    {
        Texts.ForAny(Holds);
        Texts.ForNear(["application/json", "application/vnd.oci.image.index.v1+json; charset=utf-8", "a/b"], Holds);

        static bool Holds(string? text)
            => !MediaType.TryParse(text, out var mediaType)
                || (MediaType.Parse(mediaType.ToString()) == mediaType && text!.Contains(mediaType.Value, StringComparison.Ordinal)
                    && mediaType.Value.All(char.IsAscii));
    }
}
