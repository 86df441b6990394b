using Registry.Domain.Uploads;

namespace Registry.Domain.Tests.Uploads;

public sealed class UploadIdTests
{
    private const string Sample = "0f8fad5b-d9cb-469f-a165-70867728950e";

    [Fact]
    public void An_id_survives_its_text()
    {
        Assert.True(UploadId.TryParse(Sample, out var id));
        Assert.Equal(Sample, id.ToString());
        Assert.Equal(id, UploadId.Parse(Sample));

        var created = UploadId.Create();
        Assert.Equal(created, UploadId.Parse(created.ToString()));
    }

    [Fact]
    public void Every_created_id_is_another()
        => Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => UploadId.Create()).Distinct().Count());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0F8FAD5B-D9CB-469F-A165-70867728950E")]
    [InlineData("0f8fad5bd9cb469fa16570867728950e")]
    [InlineData("{0f8fad5b-d9cb-469f-a165-70867728950e}")]
    [InlineData("(0f8fad5b-d9cb-469f-a165-70867728950e)")]
    [InlineData(" 0f8fad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e ")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e\n")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e0")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950g")]
    [InlineData("0x8fad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("+f8fad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("../../../../../../../../etc/passwd-x")]
    public void One_session_has_one_spelling(string? text)
    {
        Assert.False(UploadId.TryParse(text, out _));
        if (text is not null)
            Assert.Throws<FormatException>(() => UploadId.Parse(text));
    }

    [Fact]
    public void No_string_makes_the_parser_throw_and_what_it_takes_stays_as_it_was()
    {
        Texts.ForAny(text => !UploadId.TryParse(text, out var id) || id.ToString() == text);
        Texts.ForNear([Sample, Sample.Replace("-", "", StringComparison.Ordinal)],
            text => !UploadId.TryParse(text, out var id) || id.ToString() == text);
    }
}
