using Registry.Domain.Access;

namespace Registry.Domain.Tests.Access;

public sealed class AccountNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("Alice")]
    [InlineData("0")]
    [InlineData("alice.b_c-d+e@example.com")]
    public void Letters_digits_and_a_few_signs_make_a_name(string text)
    {
        Assert.True(AccountName.TryParse(text, out var name));
        Assert.Equal(text, name.Value);
        Assert.True(AccessSubject.TryParse($"user:{text}", out _)); // what rules call it
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("a:b")]
    [InlineData("a/b")]
    [InlineData("a%2fb")]
    [InlineData("..")]
    [InlineData("-a")]
    [InlineData("@a")]
    [InlineData("robot$a")]
    [InlineData("ünal")]
    [InlineData("аlice")] // the first letter is Cyrillic
    [InlineData("a\0")]
    public void Everything_else_does_not(string? text) => Assert.False(AccountName.TryParse(text, out _));

    [Fact]
    public void A_name_has_up_to_128_characters()
    {
        Assert.True(AccountName.TryParse(new string('a', 128), out _));
        Assert.False(AccountName.TryParse(new string('a', 129), out _));
    }

    [Fact]
    public void Names_compare_by_byte() => Assert.NotEqual(AccountName.Parse("alice"), AccountName.Parse("Alice"));
}
