using NSubstitute;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Tests.Database;

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
        _first.FindUserAsync(default!, default).ReturnsForAnyArgs(Result<NamedUser?>.Of(null));
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
        _first.FindUserAsync("admin", default).ReturnsForAnyArgs(Result<NamedUser?>.Of(new(null)));
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
    public async Task Nor_is_who_types_another_spelling()
    {
        _second.Recall("ADMIN", Password).Returns(Principal.User("admin"));
        Assert.Equal("user:admin", (await VerifyAsync("ADMIN"))?.Name);
        await _first.DidNotReceiveWithAnyArgs().VerifyAsync(default!, default!, default);
    }

    [Fact]
    public async Task What_is_remembered_is_worth_nothing_once_an_earlier_provider_has_the_name()
    {
        _second.Recall("admin", Password).Returns(Principal.User("admin"));
        _first.FindUserAsync("admin", default).ReturnsForAnyArgs(Result<NamedUser?>.Of(new(null)));
        _first.VerifyAsync("admin", Password, default).ReturnsForAnyArgs((Result<Principal?>)OciError.CredentialsWrong());
        Assert.Null(await VerifyAsync("admin"));
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

    [Fact]
    public async Task A_wrong_password_takes_the_work_of_all_providers_whichever_knows_the_name() // S-16
    {
        _first.VerifyAsync("alice", Arg.Any<string>(), default).Returns((Result<Principal?>)OciError.CredentialsWrong());

        Assert.Null(await VerifyAsync("alice"));

        await _second.Received(1).VerifyAsync(Arg.Any<string>(), Arg.Any<string>(), Arg.Any<CancellationToken>());
        // Neither the name nor the password is another provider's business.
        await _second.DidNotReceive().VerifyAsync("alice", Arg.Any<string>(), Arg.Any<CancellationToken>());
        await _second.DidNotReceive().VerifyAsync(Arg.Any<string>(), Password, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task Guesses_that_are_sent_at_the_same_moment_are_counted_one_by_one()
    {
        var looked = 0;
        _first.VerifyAsync("alice", Arg.Any<string>(), default).ReturnsForAnyArgs(async _ =>
        {
            Interlocked.Increment(ref looked);
            await Task.Yield();
            return (Result<Principal?>)OciError.CredentialsWrong();
        });
        var check = new CredentialCheck([_first], new(new ManualTime()));

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            guess => check.VerifyAsync("alice", $"guess {guess}", address: null, CancellationToken.None)));

        Assert.Equal(5, looked);
        Assert.Equal(45, answers.Count(answer => !answer.TryGet(out _, out var errors) && errors[0].Reason is ErrorReason.TooOften));
    }

    [Fact]
    public async Task A_guess_counts_though_its_client_does_not_wait_for_the_answer()
    {
        _first.VerifyAsync("alice", Arg.Any<string>(), default).ReturnsForAnyArgs(async call =>
        {
            await Task.Delay(1, call.Arg<CancellationToken>());
            return (Result<Principal?>)OciError.CredentialsWrong();
        });
        var check = new CredentialCheck([_first], new(new ManualTime()));
        for (var guess = 0; guess < 5; guess++)
        {
            using var gone = new CancellationTokenSource();
            var asked = check.VerifyAsync("alice", $"guess {guess}", address: null, gone.Token);
            await gone.CancelAsync();
            Assert.False((await asked).TryGet(out _, out _));
        }

        Assert.False((await check.VerifyAsync("alice", "guess", address: null, CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.TooOften, errors[0].Reason);
    }

    [Fact]
    public async Task Many_requests_with_one_good_password_are_one_check()
    {
        Principal? known = null;
        var looked = 0;
        _first.Recall("alice", Password).Returns(_ => known);
        _first.VerifyAsync("alice", Password, default).ReturnsForAnyArgs(async _ =>
        {
            looked++;
            await Task.Delay(20);
            return Result<Principal?>.Of(known = Principal.User("alice"));
        });
        var check = new CredentialCheck([_first], new(TimeProvider.System));

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            _ => check.VerifyAsync("alice", Password, address: null, CancellationToken.None)));

        Assert.All(answers, answer => Assert.True(answer.TryGet(out _, out var _)));
        Assert.Equal(1, looked);
    }

    [Fact]
    public async Task Who_goes_while_it_waits_for_its_turn_keeps_nobody_waiting()
    {
        var gate = new TaskCompletionSource();
        _first.VerifyAsync("alice", Password, default).ReturnsForAnyArgs(async _ =>
        {
            await gate.Task;
            return Result<Principal?>.Of(Principal.User("alice"));
        });
        var check = new CredentialCheck([_first], new(TimeProvider.System));
        using var gone = new CancellationTokenSource();
        var first = check.VerifyAsync("alice", Password, address: null, CancellationToken.None);
        var second = check.VerifyAsync("alice", Password, address: null, gone.Token);
        var third = check.VerifyAsync("alice", Password, address: null, CancellationToken.None);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.SetResult();

        Assert.True((await first).TryGet(out _, out _));
        Assert.True((await third).TryGet(out _, out _));
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
