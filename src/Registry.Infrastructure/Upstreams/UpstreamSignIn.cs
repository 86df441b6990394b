using System.Net.Http.Headers;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Upstreams;

/// <summary>What an upstream is shown so that it answers: nothing, until it has asked for something.</summary>
internal sealed class UpstreamSignIn(UpstreamPlace place, UpstreamCredentials credentials, UpstreamTokens tokens)
{
    private volatile bool _wantsBasic;

    /// <summary>What is known to be wanted for a repository.</summary>
    public Shown Known(RepositoryName repository)
        => tokens.Find(repository) is { } token ? Shown.Of(token)
            : _wantsBasic && credentials.Current is { } basic && credentials.Refused.MayShow(basic)
                ? new(basic, Token: null)
            : Shown.Nothing;

    /// <summary>What was shown was not refused.</summary>
    public void Taken(Shown shown)
    {
        if (shown is { Header: not null, Token: null })
            credentials.Refused.Forget();
    }

    /// <summary>What to show after an answer 401.</summary>
    /// <param name="challenges">The values of its <c>WWW-Authenticate</c> headers.</param>
    /// <param name="refused">What was shown.</param>
    public async Task<Result<Shown>> AnswerAsync(
        RepositoryName repository, IReadOnlyList<string> challenges, Shown refused, CancellationToken cancellationToken)
    {
        if (BearerChallenge.TryFind(challenges, out var challenge))
        {
            if (string.IsNullOrEmpty(challenge.Scope))
                challenge = challenge with { Scope = $"repository:{repository}:pull" };
            var token = await tokens.GetAsync(repository, challenge, refused.Token, cancellationToken);
            return token.Match(Result<Shown> (granted) => Shown.Of(granted), Result<Shown>.Refused);
        }

        if (!BearerChallenge.OffersBasic(challenges))
            return OciError.UpstreamFault(place.Name, "wants credentials, and says nothing sensible about which");
        if (credentials.Current is not { } basic)
            return OciError.UpstreamFault(place.Name, "answers users alone (Username)");
        _wantsBasic = true;
        if (basic.Equals(refused.Header))
            credentials.Refused.Note(basic);
        else if (credentials.Refused.MayShow(basic))
            return new Shown(basic, Token: null);
        return UpstreamCredentials.RefusedBy(place.Name);
    }
}

/// <param name="Header">Null when nothing is shown.</param>
/// <param name="Token">The token in it.</param>
internal sealed record Shown(AuthenticationHeaderValue? Header, UpstreamToken? Token)
{
    public static readonly Shown Nothing = new(null, null);

    public static Shown Of(UpstreamToken token) => new(new("Bearer", token.Text), token);
}
