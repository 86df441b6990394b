using Registry.Domain.Errors;

namespace Registry.Domain.Tests.Errors;

public sealed class OciErrorTests
{
    private static readonly string Huge = new('x', 100_000);

    public static TheoryData<OciError> ErrorsThatRepeatTheRequest =>
    [
        OciError.NameInvalid(Huge),
        OciError.DigestInvalid(Huge),
        OciError.AlgorithmUnknown(Huge),
        OciError.UploadUnknown(Huge),
        OciError.ContentRangeInvalid(Huge),
        OciError.ManifestUnknown(Huge),
        OciError.TagInvalid(Huge),
        OciError.PageInvalid(Huge),
    ];

    [Theory]
    [MemberData(nameof(ErrorsThatRepeatTheRequest))]
    public void An_answer_does_not_grow_with_its_request(OciError error) => Assert.InRange(error.Message.Length, 1, 250);

    [Fact]
    public void A_manifest_error_names_the_member_at_fault()
    {
        var error = OciError.ManifestInvalid("layers[2].digest", "is missing");
        Assert.Equal("layers[2].digest is missing.", error.Message);
        Assert.Equal("layers[2].digest", error.Detail!["path"]);

        Assert.Equal("The manifest is not UTF-8.", OciError.ManifestInvalid("", "is not UTF-8").Message);
        Assert.Null(OciError.ManifestInvalid("", "is not UTF-8").Detail);
    }

    [Fact]
    public void A_result_is_a_value_or_errors()
    {
        Result<int> value = 0, error = OciError.DigestMissing();
        Assert.Equal("0", value.Match(number => $"{number}", _ => "refused"));
        Assert.True(value.TryGet(out _, out var none));
        Assert.Empty(none);

        Assert.Equal("refused", error.Match(_ => "value", _ => "refused"));
        Assert.False(error.TryGet(out _, out var errors));
        Assert.Equal(OciErrorCode.DigestInvalid, Assert.Single(errors).Code);
    }
}
