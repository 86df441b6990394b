using System.Net;
using Registry.Application.Access;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Application.Tests.Access;

public sealed class LoginDelaysTests
{
    private static readonly IPAddress Home = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Elsewhere = IPAddress.Parse("198.51.100.7");

    private readonly ManualTime _time = new();
    private readonly LoginDelays _delays;

    public LoginDelaysTests() => _delays = new(_time);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(6, 2)]
    [InlineData(7, 4)]
    [InlineData(10, 32)]
    [InlineData(11, 60)]
    [InlineData(30, 60)]
    public void A_wait_follows_the_fifth_failure_and_doubles_up_to_a_minute(int failures, int seconds)
    {
        Fail("alice", Home, failures);

        Assert.Equal(seconds, _delays.WaitFor("alice", Home)?.TotalSeconds ?? 0);
    }

    [Fact]
    public void A_wait_becomes_shorter_with_time_and_ends()
    {
        Fail("alice", Home, 7);

        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(1), _delays.WaitFor("alice", Home));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_delays.WaitFor("alice", Home));

        Fail("alice", Home, 1); // the count goes on
        Assert.Equal(TimeSpan.FromSeconds(8), _delays.WaitFor("alice", Home));
    }

    [Fact]
    public void Guesses_at_an_account_keep_neither_its_owner_out_nor_other_accounts()
    {
        Fail("alice", Elsewhere, 20);

        Assert.NotNull(_delays.WaitFor("alice", Elsewhere));
        Assert.Null(_delays.WaitFor("alice", Home));
        Assert.Null(_delays.WaitFor("bob", Elsewhere));
    }

    [Fact]
    public void Guesses_at_an_account_from_many_addresses_slow_it_down_by_five_seconds_at_most()
    {
        for (var i = 0; i < 49; i++)
            Fail("alice", IPAddress.Parse($"203.0.113.{i}"), 1);
        Assert.Null(_delays.WaitFor("alice", Home));

        Fail("alice", Elsewhere, 1);
        Assert.Equal(TimeSpan.FromSeconds(1), _delays.WaitFor("alice", Home));

        for (var i = 0; i < 100; i++)
            Fail("alice", IPAddress.Parse($"203.0.113.{i}"), 1);
        Assert.Equal(TimeSpan.FromSeconds(5), _delays.WaitFor("alice", Home));
        Assert.Null(_delays.WaitFor("bob", Home));
    }

    [Fact]
    public void Guesses_at_many_accounts_slow_their_address_down()
    {
        for (var i = 0; i < 49; i++)
            Fail($"user{i}", Home, 1);
        Assert.Null(_delays.WaitFor("alice", Home));

        Fail("another", Home, 1);

        Assert.Equal(TimeSpan.FromSeconds(1), _delays.WaitFor("alice", Home));
        Assert.Null(_delays.WaitFor("alice", Elsewhere));
    }

    [Fact]
    public void A_client_with_an_old_password_does_not_keep_out_everybody_behind_its_address()
    {
        for (var i = 0; i < 500; i++)
        {
            Fail("robot", Home, 1);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Null(_delays.WaitFor("alice", Home));
        Fail("robot", Home, 1);
        Assert.NotNull(_delays.WaitFor("robot", Home));
    }

    [Theory]
    [InlineData("Alice")]
    [InlineData("ALICE ")]
    public void Another_spelling_is_no_other_account(string spelling) // a directory takes all of them
    {
        Fail("alice", Home, 5);
        Assert.NotNull(_delays.WaitFor(spelling, Home));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void Addresses_that_one_client_has_count_as_one(string first, string second, bool same)
    {
        Fail("alice", IPAddress.Parse(first), 5);

        Assert.Equal(same, _delays.WaitFor("alice", IPAddress.Parse(second)) is not null);
    }

    [Fact]
    public void A_success_forgets_the_failures_of_that_user_from_there_alone()
    {
        Fail("alice", Home, 6);
        Fail("alice", Elsewhere, 6);

        _delays.Succeeded("alice", Home);

        Assert.Null(_delays.WaitFor("alice", Home));
        Assert.NotNull(_delays.WaitFor("alice", Elsewhere));
        Fail("alice", Home, 4);
        Assert.Null(_delays.WaitFor("alice", Home));
    }

    [Fact]
    public void Failures_are_forgotten_after_a_quarter_of_an_hour()
    {
        Fail("alice", Home, 20);
        _time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1));

        Assert.Null(_delays.WaitFor("alice", Home));
        Fail("alice", Home, 4);
        Assert.Null(_delays.WaitFor("alice", Home));
    }

    [Fact]
    public void What_is_remembered_has_a_bound_and_old_failures_go_first() // S-18
    {
        for (var i = 0; i < 60_000; i++)
            _delays.Failed($"stranger{i}", address: null);
        Fail("alice", Home, 6);

        Assert.NotNull(_delays.WaitFor("alice", Home));
        Assert.Null(_delays.WaitFor("stranger1", Elsewhere));
    }

    private void Fail(string user, IPAddress address, int times)
    {
        for (var i = 0; i < times; i++)
            _delays.Failed(user, address);
    }
}
