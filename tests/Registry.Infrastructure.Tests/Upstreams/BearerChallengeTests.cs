using FsCheck;
using FsCheck.Fluent;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure.Tests.Upstreams;

public sealed class BearerChallengeTests
{
    private static readonly Gen<string> Texts = Gen.Elements("abz09 ,;=\"\\\t/:.-_?&%üBearerBasicrealmservicescope".ToCharArray())
        .ListOf().Select(characters => string.Concat(characters));

    [Theory]
    [InlineData("Bearer realm=\"https://a.example/t\",service=\"s\",scope=\"repository:x:pull\"", "https://a.example/t", "s", "repository:x:pull")]
    [InlineData("bearer REALM=\"https://a.example/t\", Service=s", "https://a.example/t", "s", null)]
    [InlineData("Bearer realm=\"https://a.example/t\",scope=\"repository:x:pull,push\",service=\"a,b\"", "https://a.example/t", "a,b", "repository:x:pull,push")]
    [InlineData("Bearer realm = \"https://a.example/t\" , service = \"say \\\"s\\\"\"", "https://a.example/t", "say \"s\"", null)]
    [InlineData("Basic realm=\"no, Bearer realm=x\", Bearer realm=\"https://a.example/t\"", "https://a.example/t", null, null)]
    [InlineData("Negotiate, Bearer realm=\"https://a.example/t?x=1\"", "https://a.example/t?x=1", null, null)]
    [InlineData("Bearer realm=\"https://a.example/t\",error=\"invalid_token\",service=\"\"", "https://a.example/t", "", null)]
    [InlineData("Bearer realm=\"https://a.example/1\",realm=\"https://evil.example/2\"", "https://a.example/1", null, null)]
    public void A_challenge_is_read(string header, string realm, string? service, string? scope)
    {
        Assert.True(BearerChallenge.TryFind([header], out var challenge));
        Assert.Equal((new Uri(realm), service, scope), (challenge.Realm, challenge.Service, challenge.Scope));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer service=\"s\"")]
    [InlineData("Bearer realm=\"\"")]
    [InlineData("Bearer realm=\"/token\"")]
    [InlineData("Bearer realm=\"file:///etc/passwd\"")]
    [InlineData("Bearer realm=\"https://user:word@a.example/t\"")]
    [InlineData("Bearer realm=\"https://a.example/t")]
    [InlineData("Basic realm=\"Bearer realm=https://a.example\"")]
    [InlineData("realm=\"https://a.example/t\"")]
    [InlineData("Bearer;realm=\"https://a.example/t\"")]
    public void What_is_no_challenge_is_not_taken_for_one(string header)
        => Assert.False(BearerChallenge.TryFind([header], out _));

    [Fact]
    public void It_is_found_in_any_of_several_headers()
    {
        string[] headers = ["Basic realm=\"x\"", "Bearer realm=\"https://a.example/t\""];
        Assert.True(BearerChallenge.OffersBasic(headers));
        Assert.True(BearerChallenge.TryFind(headers, out _));
        Assert.False(BearerChallenge.OffersBasic(["Bearer realm=\"https://Basic.example/ Basic\""]));
    }

    [Theory]
    [InlineData(null, null, "https://a.example/t")]
    [InlineData("s", "repository:x/y:pull", "https://a.example/t?service=s&scope=repository%3Ax%2Fy%3Apull")]
    [InlineData("a&b=c#d", "one two", "https://a.example/t?service=a%26b%3Dc%23d&scope=one&scope=two")]
    public void The_address_carries_service_and_scope(string? service, string? scope, string expected)
        => Assert.Equal(expected, new BearerChallenge(new("https://a.example/t"), service, scope).Place().AbsoluteUri);

    [Fact]
    public void What_the_realm_asks_for_itself_stays()
        => Assert.Equal(
            "https://a.example/t?tenant=1&service=s",
            new BearerChallenge(new("https://a.example/t?tenant=1#x"), "s", null).Place().AbsoluteUri);

    [Fact]
    public void Whatever_stands_in_a_quoted_value_comes_out_as_it_was()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Texts.ToArbitrary(), Texts.ToArbitrary(), (service, scope)
                => BearerChallenge.TryFind(
                    [$"Basic realm={Quote(scope)}, Bearer service={Quote(service)} ,realm=\"https://a.example/t\",scope={Quote(scope)}"],
                    out var challenge)
                && challenge == new BearerChallenge(new("https://a.example/t"), service, scope)
                && challenge.Place().Host == "a.example"));

    [Fact]
    public void Nothing_that_a_header_says_fails_it_or_leads_off_the_web()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000),
            Prop.ForAll(Texts.ToArbitrary(), Texts.ToArbitrary(), (before, after) =>
            {
                string[] headers = [before + after, $"{before}Bearer realm=\"http{after}", $"Bearer realm=http:{before}, {after}"];
                _ = BearerChallenge.OffersBasic(headers);
                return !BearerChallenge.TryFind(headers, out var challenge) || challenge.Place().Scheme is "http" or "https";
            }));

    private static string Quote(string text)
        => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
