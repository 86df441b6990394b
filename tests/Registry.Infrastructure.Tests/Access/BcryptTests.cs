using Registry.Infrastructure.Access.Htpasswd;

namespace Registry.Infrastructure.Tests.Access;

public sealed class BcryptTests
{
    // Public vectors of the algorithm's reference implementation.
    [Theory]
    [InlineData("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK")]
    [InlineData("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")]
    public void The_password_of_a_hash_matches_and_no_other(string password, string hash)
    {
        Assert.True(Bcrypt.IsHash(hash));
        Assert.True(Bcrypt.Matches(password, hash));
        Assert.False(Bcrypt.Matches(password + "x", hash));
        Assert.False(Bcrypt.Matches("", hash));
        Assert.False(Bcrypt.Matches(password, hash[..^1] + (hash[^1] == 'a' ? 'b' : 'a')));
    }

    [Fact]
    public void What_comes_behind_a_nul_is_not_left_out()
        => Assert.False(Bcrypt.Matches("U*U\0more", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY=")]
    [InlineData("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/")]
    [InlineData("$2y$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe:")]
    [InlineData("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW")]
    public void Anything_else_is_no_hash(string text) => Assert.False(Bcrypt.IsHash(text));

    [Fact]
    public void A_dummy_is_a_hash_of_the_same_cost_that_no_password_has()
    {
        var dummy = Bcrypt.Dummy("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        Assert.True(Bcrypt.IsHash(dummy));
        Assert.Equal("$2y$05$", dummy[..7]);
        Assert.StartsWith("$2y$05$", Bcrypt.Hash("any", dummy[..29]), StringComparison.Ordinal); // it is computed, not refused
        Assert.False(Bcrypt.Matches("", dummy));
    }
}
