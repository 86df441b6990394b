using NSubstitute;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Access;

public sealed class CredentialCheckTests
{
    private const string Password = "the directory's password";

    private readonly IUserProvider _first = Substitute.For<IUserProvider>();
    private readonly IUserProvider _second = Substitute.For<IUserProvider>();

    public CredentialCheckTests()
    {
        _first.IsGuessable.Returns(true);
        _second.IsGuessable.Returns(true);
        _first.Recall(default!, default!).ReturnsForAnyArgs((Principal?)null);
        _second.Recall(default!, default!).ReturnsForAnyArgs((Principal?)null);
        _first.VerifyAsync(default!, default!, default).ReturnsForAnyArgs(Result<Principal?>.Of(null));
        // A directory: whatever the case, it is the same entry.
        _second.VerifyAsync(Arg.Is<string>(user => user.Equals("admin", StringComparison.OrdinalIgnoreCase)), Password, default)
            .Returns(Result<Principal?>.Of(Principal.User("admin")));
    }

    [Theory]
    [InlineData("admin")]
    [InlineData("Admin")]
    public async Task Who_is_known_to_one_provider_alone_is_that_user_however_it_is_written(string user)
        => Assert.Equal("user:admin", (await VerifyAsync(user))?.Name);

    [Theory]
    [InlineData("admin")]
    [InlineData("Admin")]
    [InlineData("ADMIN")]
    public async Task No_spelling_makes_somebody_the_namesake_of_an_earlier_providers_user(string user)
    {
        _first.VerifyAsync("admin", Password, default).Returns((Result<Principal?>)OciError.CredentialsWrong());
        _second.Recall("Admin", Password).Returns(Principal.User("admin"));

        Assert.Null(await VerifyAsync(user));
    }

    [Fact]
    public async Task Who_was_found_a_while_ago_is_not_checked_again()
    {
        _second.Recall("admin", Password).Returns(Principal.User("admin"));
        Assert.Equal("user:admin", (await VerifyAsync("admin"))?.Name);
        await _first.DidNotReceiveWithAnyArgs().VerifyAsync(default!, default!, default);
    }

    [Fact]
    public async Task Guesses_at_an_account_keep_nobody_waiting_who_shows_what_cannot_be_guessed()
    {
        var delays = new LoginDelays(TimeProvider.System);
        for (var i = 0; i < 60; i++)
            delays.Failed("admin", address: null);
        _first.IsGuessable.Returns(false);
        _first.VerifyAsync("admin", "a secret of 256 bits", default).Returns(Result<Principal?>.Of(Principal.User("admin")));
        _second.IsGuessable.Returns(true);
        var check = new CredentialCheck([_first, _second], delays);

        Assert.True((await check.VerifyAsync("admin", "a secret of 256 bits", null, CancellationToken.None)).TryGet(out _, out _));
        Assert.False((await check.VerifyAsync("admin", Password, null, CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.TooOften, errors[0].Reason);
    }

    private async Task<Principal?> VerifyAsync(string user)
    {
        var check = new CredentialCheck([_first, _second], new(TimeProvider.System));
        var verified = await check.VerifyAsync(user, Password, address: null, CancellationToken.None);
        return verified.Match<Principal?>(
            principal => principal,
            errors =>
            {
                Assert.Equal(ErrorReason.Unauthenticated, errors[0].Reason);
                return null;
            });
    }
}
