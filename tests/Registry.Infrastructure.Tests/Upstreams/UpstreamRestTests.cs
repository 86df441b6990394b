using Microsoft.AspNetCore.Http;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>When an upstream is not asked.</summary>
public sealed class UpstreamRestTests : UpstreamFixture
{
    private RequestDelegate? _instead;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Server.ServeImage("team/app", "latest");
        Server.Gate = async context =>
        {
            if (_instead is not { } answer)
                return false;
            await answer(context);
            return true;
        };
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Fri, 02 Jan 2026 03:05:05 GMT", 60)]
    [InlineData("86400", 3600)]
    [InlineData(null, 30)]
    public async Task An_upstream_that_wants_to_be_left_alone_is(string? header, int seconds)
    {
        _instead = header is null ? ScriptedUpstream.Status(429) : ScriptedUpstream.Status(429, "Retry-After", header);
        var upstream = Upstream();
        Assert.Equal(TimeSpan.FromSeconds(seconds), Error(await GetTagAsync(upstream)).RetryAfter);

        _instead = null;
        Time.Advance(TimeSpan.FromSeconds(seconds - 1));
        var error = Error(await FindTagAsync(upstream));
        Assert.Equal((ErrorReason.TooOften, TimeSpan.FromSeconds(1)), (error.Reason, error.RetryAfter));
        Assert.Single(Server.Requests);

        Time.Advance(TimeSpan.FromSeconds(1));
        Value(await FindTagAsync(upstream));
    }

    [Fact]
    public async Task After_five_failures_nothing_is_sent_for_ten_seconds_and_then_one_request()
    {
        _instead = ScriptedUpstream.Status(503);
        var upstream = Upstream();
        for (var i = 0; i < 5; i++)
            Assert.Null(Error(await FindTagAsync(upstream)).RetryAfter);
        Time.Advance(TimeSpan.FromSeconds(4));
        var error = Error(await FindTagAsync(upstream));
        Assert.Equal((ErrorReason.Unavailable, TimeSpan.FromSeconds(6)), (error.Reason, error.RetryAfter));
        Assert.Contains("503", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, Server.Requests.Count);

        Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(ErrorReason.Unavailable, Error(await FindTagAsync(upstream)).Reason);
        Assert.Equal(6, Server.Requests.Count);
        Assert.Equal(TimeSpan.FromSeconds(10), Error(await FindTagAsync(upstream)).RetryAfter);
        Assert.Equal(6, Server.Requests.Count);

        _instead = null;
        Time.Advance(TimeSpan.FromSeconds(10));
        Value(await FindTagAsync(upstream));
        Value(await FindTagAsync(upstream));
        Assert.Equal(8, Server.Requests.Count);
    }

    [Fact]
    public async Task While_one_request_tries_no_other_is_sent_and_one_that_gives_up_lets_another_try()
    {
        _instead = ScriptedUpstream.HangUp;
        var upstream = Upstream();
        for (var i = 0; i < 5; i++)
            await GetTagAsync(upstream);
        var before = Server.Requests.Count; // a connection that breaks may have been tried twice
        Time.Advance(TimeSpan.FromSeconds(10));

        _instead = ScriptedUpstream.Silence;
        using var end = new CancellationTokenSource();
        var trying = upstream.FindManifestAsync(Repository, Domain.Manifests.Tag.Parse("latest"), end.Token);
        using (var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1)))
        {
            while (Server.Requests.Count == before)
                await Task.Delay(10, patience.Token);
        }

        Assert.Equal((ErrorReason.Unavailable, TimeSpan.FromSeconds(1)), (Error(await FindTagAsync(upstream)).Reason, Error(await FindTagAsync(upstream)).RetryAfter));
        Assert.Equal(before + 1, Server.Requests.Count);

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trying);
        _instead = null;
        Value(await FindTagAsync(upstream));
    }

    [Fact]
    public async Task What_the_upstream_answers_in_between_begins_the_count_again()
    {
        var upstream = Upstream();
        foreach (var _ in Enumerable.Range(0, 3))
        {
            _instead = ScriptedUpstream.Status(500);
            for (var i = 0; i < 4; i++)
                Assert.Null(Error(await FindTagAsync(upstream)).RetryAfter);
            _instead = ScriptedUpstream.Status(404);
            Assert.Equal(ErrorReason.NotFound, Error(await FindTagAsync(upstream)).Reason);
        }

        Assert.Equal(15, Server.Requests.Count);
    }

    [Fact]
    public async Task Faults_that_are_answers_end_nothing()
    {
        _instead = ScriptedUpstream.Status(418);
        var upstream = Upstream();
        for (var i = 0; i < 10; i++)
            Assert.Equal(ErrorReason.UpstreamFault, Error(await FindTagAsync(upstream)).Reason);
        Assert.Equal(10, Server.Requests.Count);
    }
}
