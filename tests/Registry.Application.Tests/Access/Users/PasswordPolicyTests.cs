using Registry.Application.Access.Users;
using Registry.Domain.Access;

namespace Registry.Application.Tests.Access.Users;

public sealed class PasswordPolicyTests
{
    private static readonly AccountName Alice = AccountName.Parse("alice.smith");

    [Theory]
    [InlineData("12345678")]
    [InlineData("with: colon and ünïcode")]
    [InlineData("        ")]
    [InlineData("alice.smith2")]
    public void A_password_of_8_characters_is_one(string password) => Assert.Null(PasswordPolicy.Problem(Alice, password));

    [Theory]
    [InlineData("", "8 characters")]
    [InlineData("1234567", "8 characters")]
    [InlineData("Alice.Smith", "name")]
    [InlineData("12345678\n", "control")]
    [InlineData("1234\08765", "control")]
    public void Others_are_refused_and_never_repeated(string password, string named) // S-14
    {
        var problem = PasswordPolicy.Problem(Alice, password);
        Assert.Contains(named, problem, StringComparison.Ordinal);
        if (password.Length > 0)
            Assert.DoesNotContain(password, problem, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void More_than_72_bytes_count_and_more_than_512_characters_are_too_many()
    {
        Assert.Null(PasswordPolicy.Problem(Alice, new string('x', 512)));
        Assert.Contains("512", PasswordPolicy.Problem(Alice, new string('x', 513)), StringComparison.Ordinal);
    }
}
