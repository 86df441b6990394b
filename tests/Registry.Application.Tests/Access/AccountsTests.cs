using NSubstitute;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Access;

public sealed class AccountsTests
{
    private static readonly AccountReference Alice = new("second", "alice\nid", "mark");
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly IUserProvider _first = Provider("first");
    private readonly IUserProvider _second = Provider("second");
    private readonly Accounts _accounts;

    public AccountsTests()
    {
        _accounts = new([_first, _second]);
        _second.FindAsync(Alice, default).Returns(Result<Principal?>.Of(Principal.User("alice") with { Account = Alice }));
    }

    [Fact]
    public async Task An_account_is_found_where_it_is_and_nowhere_else()
    {
        Assert.Equal("user:alice", (await FindAsync(Alice))?.Name);
        Assert.Null(await FindAsync(Alice with { Provider = "first" }));
        Assert.Null(await FindAsync(Alice with { Provider = "third" }));
        Assert.Null(await FindAsync(Alice with { Key = "bob" }));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the name is taken, even while its owner is locked out
    public async Task A_name_that_an_earlier_provider_has_by_now_is_not_the_later_ones_any_more(bool enabled)
    {
        _first.FindUserAsync("alice", default).Returns(Result<NamedUser?>.Of(new(enabled ? Principal.User("alice") : null)));
        Assert.Null(await FindAsync(Alice));
    }

    [Fact]
    public async Task While_an_earlier_provider_cannot_be_asked_nobody_knows()
    {
        _first.FindUserAsync("alice", default).Returns((Result<NamedUser?>)OciError.Unavailable("directory"));
        Assert.False((await _accounts.FindAsync(Alice, None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Unavailable, errors[0].Reason);
    }

    [Fact]
    public async Task A_user_is_the_first_providers_that_has_one_of_that_name()
    {
        _second.FindUserAsync("alice", default).Returns(Result<NamedUser?>.Of(new(Principal.User("alice", "dev"))));
        Assert.Equal("user:alice", (await _accounts.FindUserAsync("alice", None)).Match(found => found, _ => Principal.Anonymous).Name);
        Assert.Equal("User 'bob' does not exist.", await RefusalAsync("bob"));
        Assert.Equal(ErrorReason.NotFound, (await _accounts.FindUserAsync("\0", None)).Match(_ => default, errors => errors[0].Reason));

        _first.FindUserAsync("alice", default).Returns(Result<NamedUser?>.Of(new(null)));
        Assert.Equal("User 'alice' is disabled or locked.", await RefusalAsync("alice"));
    }

    private static IUserProvider Provider(string name)
    {
        var provider = Substitute.For<IUserProvider>();
        provider.Name.Returns(name);
        provider.FindAsync(default!, default).ReturnsForAnyArgs(Result<Principal?>.Of(null));
        provider.FindUserAsync(default!, default).ReturnsForAnyArgs(Result<NamedUser?>.Of(null));
        return provider;
    }

    private async Task<Principal?> FindAsync(AccountReference account)
        => (await _accounts.FindAsync(account, None)).Match(found => found, errors => throw new InvalidOperationException(errors[0].Message));

    private async Task<string> RefusalAsync(string name)
        => (await _accounts.FindUserAsync(name, None)).Match(_ => "", errors => errors[0].Message);
}
