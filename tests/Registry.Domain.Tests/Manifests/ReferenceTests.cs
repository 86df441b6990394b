using Registry.Domain.Blobs;
using Registry.Domain.Manifests;

namespace Registry.Domain.Tests.Manifests;

public sealed class ReferenceTests
{
    private const string Sample = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("latest")]
    [InlineData("v1.0.0-rc.1_x")]
    [InlineData("_")]
    [InlineData("_hidden")]
    [InlineData("0")]
    [InlineData("A")]
    [InlineData("a..b")]
    [InlineData("a-")]
    [InlineData("sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void A_tag_of_the_spec_is_taken_as_it_is(string text)
    {
        Assert.True(Tag.TryParse(text, out var tag));
        Assert.Equal(text, tag.ToString());
        Assert.True(Reference.TryParse(text, out var reference));
        Assert.Equal(tag, reference);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".a")]
    [InlineData("-a")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a+b")]
    [InlineData("a@b")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    [InlineData("\ta")]
    [InlineData("é")]
    [InlineData("a٣")]
    [InlineData("a:b")]
    public void Anything_else_is_no_tag(string? text)
    {
        Assert.False(Tag.TryParse(text, out _));
        Assert.False(Reference.TryParse(text, out _));
        if (text is null)
            return;
        Assert.Throws<FormatException>(() => Tag.Parse(text));
        Assert.Throws<FormatException>(() => Reference.Parse(text));
    }

    [Fact]
    public void A_tag_has_up_to_128_characters()
    {
        Assert.True(Tag.TryParse(new string('a', 128), out _));
        Assert.False(Tag.TryParse(new string('a', 129), out _));
    }

    [Fact]
    public void Tags_differ_by_case() => Assert.NotEqual(Tag.Parse("Latest"), Tag.Parse("latest"));

    [Theory]
    [InlineData(Sample)]
    [InlineData("sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e")]
    public void What_has_a_colon_is_a_digest(string text)
        => Assert.Equal(text, Assert.IsType<Digest>(Reference.Parse(text)).ToString());

    [Theory]
    [InlineData("sha256:xyz")]
    [InlineData("latest:")]
    [InlineData(":latest")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    public void What_has_a_colon_and_is_no_digest_is_no_reference(string text) => Assert.False(Reference.TryParse(text, out _));

    [Fact]
    public void A_digest_and_a_tag_are_never_equal()
    {
        Reference tag = Tag.Parse("sha256-abc"), digest = Digest.Parse(Sample);
        Assert.NotEqual(tag, digest);
        Assert.Equal(digest, Reference.Parse(Sample));
    }

    [Fact]
    public void No_string_makes_the_parsers_throw_and_what_they_take_stays_as_it_was()
    {
        Texts.ForAny(Holds);
        Texts.ForNear([Sample, "latest", "v1.0_x-y", new string('a', 128)], Holds);

        static bool Holds(string? text)
            => (!Tag.TryParse(text, out var tag) || tag.ToString() == text)
                && (!Reference.TryParse(text, out var reference) || reference.ToString() == text);
    }
}
