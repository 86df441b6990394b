using System.Net.Http.Headers;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Upstreams;

/// <summary>
/// The bearer tokens of an upstream. Each is got when somebody needs it, once for all who need it at that moment, and
/// only from where tokens may be got; it is kept until shortly before its end.
/// </summary>
internal sealed class UpstreamTokens(
    UpstreamPlace place, UpstreamCredentials credentials, UpstreamConnections connections, TimeProvider time,
    TimeSpan patience) : IDisposable
{
    private const int MaxAnswerBytes = 256 * 1024;

    // Names come from clients: what is remembered of them has an end.
    private const int MaxKept = 10_000;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Dictionary<RepositoryName, BearerChallenge> _challenges = [];
    private readonly Dictionary<BearerChallenge, UpstreamToken> _kept = [];
    private readonly Dictionary<BearerChallenge, Task<Result<UpstreamToken>>> _coming = [];

    // With 403 a user may be refused, or this token alone.
    private readonly Dictionary<BearerChallenge, RefusedCredentials> _refusals = [];

    /// <summary>The token that counts for a repository now; null when none does.</summary>
    public UpstreamToken? Find(RepositoryName repository)
    {
        lock (_lock)
            return _challenges.TryGetValue(repository, out var challenge) ? Find(challenge) : null;
    }

    /// <summary>A token as the upstream's challenge describes it.</summary>
    /// <param name="refused">One that the upstream does not take (any more).</param>
    public async Task<Result<UpstreamToken>> GetAsync(
        RepositoryName repository, BearerChallenge challenge, UpstreamToken? refused,
        CancellationToken cancellationToken)
    {
        if (!place.IsTokenServer(challenge.Realm))
        {
            return OciError.UpstreamFault(
                place.Name,
                place.LosesTls(challenge.Realm)
                    ? $"gets its tokens without TLS, from {challenge.Realm.Authority}"
                    : $"gets its tokens from a host that TokenHosts does not have: {challenge.Realm.Authority}");
        }

        Task<Result<UpstreamToken>>? coming;
        lock (_lock)
        {
            Remember(_challenges, repository, challenge);
            if (Find(challenge) is { } kept && kept != refused)
                return kept;
            if (!_coming.TryGetValue(challenge, out coming))
                _coming.Add(challenge, coming = Task.Run(() => FetchAsync(challenge), CancellationToken.None));
        }

        return await coming.WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private UpstreamToken? Find(BearerChallenge challenge)
        => _kept.TryGetValue(challenge, out var token) && time.GetElapsedTime(token.Since) < token.Lifetime
            ? token
            : null;

    private static void Remember<TKey, TValue>(Dictionary<TKey, TValue> kept, TKey key, TValue value)
        where TKey : notnull
    {
        if (kept.Count >= MaxKept)
            kept.Clear();
        kept[key] = value;
    }

    // For all who wait, whoever of them leaves.
    private async Task<Result<UpstreamToken>> FetchAsync(BearerChallenge challenge)
    {
        Result<UpstreamToken>? result = null;
        try
        {
            return result = await AskAsync(challenge, _end.Token);
        }
        catch (IOException e)
        {
            return OciError.UpstreamUnavailable(place.Name, $"gives no token ({e.Message})");
        }
        finally
        {
            lock (_lock)
            {
                _coming.Remove(challenge);
                if (result is not null && result.TryGet(out var token, out _))
                    Remember(_kept, challenge, token);
            }
        }
    }

    private async Task<Result<UpstreamToken>> AskAsync(BearerChallenge challenge, CancellationToken cancellationToken)
    {
        var (since, shown) = (time.GetTimestamp(), credentials.Current);
        if (shown is not null && !MayShow(shown, challenge))
            return UpstreamCredentials.RefusedBy(place.Name);
        using var request = new HttpRequestMessage(HttpMethod.Get, challenge.Place());
        request.Headers.Authorization = shown;
        request.Headers.Accept.ParseAdd("application/json");
        var sent = await connections.SendAsync(request, cancellationToken);
        if (!sent.TryGet(out var answer, out var errors))
            return Result<UpstreamToken>.Refused(errors);
        using (answer)
        {
            if (shown is not null)
                Note((int)answer.StatusCode, shown, challenge);
            if (Refusal(answer, challenge.Realm, isAnonymous: shown is null) is { } refusal)
                return refusal;
            await using var body = new UpstreamBody(
                place.Name, await answer.Content.ReadAsStreamAsync(cancellationToken), length: null, patience,
                _ => { });
            return await body.ReadAllAsync(MaxAnswerBytes, cancellationToken) is { } json
                && UpstreamToken.Read(json, since) is { } token
                    ? token
                    : OciError.UpstreamFault(place.Name, $"gets no token from {challenge.Realm.Authority}");
        }
    }

    private bool MayShow(AuthenticationHeaderValue shown, BearerChallenge challenge)
    {
        lock (_lock)
        {
            return credentials.Refused.MayShow(shown)
                && (!_refusals.TryGetValue(challenge, out var refused) || refused.MayShow(shown));
        }
    }

    private void Note(int status, AuthenticationHeaderValue shown, BearerChallenge challenge)
    {
        if (status == 401)
            credentials.Refused.Note(shown);
        else if (status == 200)
            credentials.Refused.Forget();
        lock (_lock)
        {
            if (status == 200)
                _refusals.Remove(challenge);
            if (status != 403)
                return;
            if (!_refusals.TryGetValue(challenge, out var refused))
                Remember(_refusals, challenge, refused = new(time));
            refused.Note(shown);
        }
    }

    private OciError? Refusal(HttpResponseMessage answer, Uri realm, bool isAnonymous)
        => (int)answer.StatusCode switch
        {
            200 => null,
            // What nobody in particular may not have a token for, is not shown to everybody.
            403 when isAnonymous => OciError.NothingHere() with
            {
                OnlyForLog = $"{realm.Authority} gives nobody in particular a token",
            },
            401 or 403 when isAnonymous => OciError.UpstreamFault(
                place.Name, $"gives tokens at {realm.Authority} to users alone (Username)"),
            401 or 403 => UpstreamCredentials.RefusedBy(place.Name),
            429 => OciError.UpstreamTooOften(place.Name, UpstreamAnswer.Wait(answer, time)),
            >= 500 and var status => OciError.UpstreamUnavailable(
                place.Name, $"gives no token: {realm.Authority} answers {status}"),
            var status => OciError.UpstreamFault(place.Name, $"gives no token: {realm.Authority} answers {status}"),
        };
}
