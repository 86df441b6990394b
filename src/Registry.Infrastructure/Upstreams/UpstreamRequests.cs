using System.Globalization;
using System.Net.Http.Headers;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Upstreams;

/// <summary>
/// Asks an upstream: not more at once than it may be, not while it is to be left alone, with what it wants to be shown,
/// and where it redirects to.
/// </summary>
/// <param name="registry">Whose upstream it is.</param>
/// <param name="patience">How long a request waits for its turn.</param>
internal sealed class UpstreamRequests(
    string registry, UpstreamPlace place, UpstreamConnections connections, UpstreamSignIn signIn, UpstreamRest rest,
    UpstreamMetrics metrics, int maxAtOnce, TimeSpan patience, TimeProvider time) : IDisposable
{
    private const int MaxRedirects = 5;

    // With nothing shown, with a token that was kept, with a new one.
    private const int MaxTries = 3;

    private readonly SemaphoreSlim _turns = new(maxAtOnce);

    /// <summary>A good answer; the caller disposes.</summary>
    public async Task<Result<UpstreamAnswer>> SendAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        if (rest.Refusal() is { } resting)
            return resting;
        if (!await _turns.WaitAsync(patience, cancellationToken))
            return OciError.UpstreamUnavailable(place.Name, "is asked as often at once as it may be (MaxConnections)");

        var handedOver = false;
        try
        {
            if (rest.Begin(out var tries) is { } refused)
                return refused;
            var sent = await ObserveAsync(request, tries, cancellationToken);
            if (!sent.TryGet(out var response, out var errors))
                return Result<UpstreamAnswer>.Refused(errors);
            handedOver = true;
            return new UpstreamAnswer(response, () => _turns.Release());
        }
        finally
        {
            if (!handedOver)
                _turns.Release();
        }
    }

    public void Dispose() => _turns.Dispose();

    // What comes of a request is what the next ones have to expect.
    private async Task<Result<HttpResponseMessage>> ObserveAsync(
        UpstreamRequest request, bool tries, CancellationToken cancellationToken)
    {
        Result<HttpResponseMessage> sent;
        try
        {
            sent = await AskAsync(request, cancellationToken);
        }
        catch
        {
            rest.Abandoned(tries);
            throw;
        }

        var error = sent.TryGet(out _, out var errors) ? null : errors[0];
        if (error is { Reason: ErrorReason.Unavailable })
            rest.Failed(error);
        else
            rest.Answered();
        if (error is { Reason: ErrorReason.TooOften, RetryAfter: { } wait })
            rest.LeaveAlone(wait);
        metrics.CountRequest(registry, error);
        return sent;
    }

    private async Task<Result<HttpResponseMessage>> AskAsync(
        UpstreamRequest request, CancellationToken cancellationToken)
    {
        var (began, known) = (time.GetTimestamp(), signIn.Known(request.Repository));
        var shown = known;
        for (var tries = 1; ; tries++)
        {
            var sent = await FollowAsync(request, shown.Header, cancellationToken);
            if (!sent.TryGet(out var response, out var errors))
                return Result<HttpResponseMessage>.Refused(errors);
            var isNew = shown.Token is { } token && token != known.Token && token.Since >= began;
            if ((int)response.StatusCode is not (401 or 429 or >= 500))
                signIn.Taken(shown);
            if ((int)response.StatusCode != 401 || !IsOwn(response) || isNew || tries == MaxTries)
                return await JudgeAsync(request, response, shown, cancellationToken);

            string[] challenges = [.. Values(response, "WWW-Authenticate")];
            response.Dispose();
            var answered = await signIn.AnswerAsync(request.Repository, challenges, shown, cancellationToken);
            if (!answered.TryGet(out var next, out errors))
            {
                return errors[0].Reason is ErrorReason.NotFound
                    ? NotShown(request, errors[0].OnlyForLog)
                    : Result<HttpResponseMessage>.Refused(errors);
            }

            shown = next;
        }
    }

    // What is shown goes to the upstream alone, and no address is taken unseen.
    private async Task<Result<HttpResponseMessage>> FollowAsync(
        UpstreamRequest request, AuthenticationHeaderValue? shown, CancellationToken cancellationToken)
    {
        var at = request.Place;
        for (var redirects = 0; ; redirects++)
        {
            using var message = Message(request, at, place.IsUpstream(at) ? shown : null);
            var sent = await connections.SendAsync(message, cancellationToken);
            if (!sent.TryGet(out var response, out _))
                return sent;
            if (place.IsUpstream(at))
                metrics.Note(registry, response);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
                return response;

            var location = Values(response, "Location").FirstOrDefault();
            response.Dispose();
            if (redirects == MaxRedirects)
                return OciError.UpstreamFault(place.Name, "redirects too often");
            if (location is null || UpstreamPlace.Resolve(at, location) is not { } next)
                return OciError.UpstreamFault(place.Name, "redirects to nowhere");
            if (UpstreamPlace.LosesTls(at, next))
                return OciError.UpstreamFault(place.Name, $"redirects to a place without TLS: {next.Authority}");
            at = next;
        }
    }

    private static HttpRequestMessage Message(UpstreamRequest request, Uri at, AuthenticationHeaderValue? shown)
    {
        var message = new HttpRequestMessage(request.Method, at);
        message.Headers.Authorization = shown;
        foreach (var type in request.Accept)
            message.Headers.Accept.Add(new(type));
        message.Headers.AcceptEncoding.Add(new("identity"));
        message.Headers.UserAgent.ParseAdd("registry"); // some servers refuse who says nothing
        if (request.Offset > 0)
            message.Headers.Range = new(request.Offset, to: null);
        return message;
    }

    private async Task<Result<HttpResponseMessage>> JudgeAsync(
        UpstreamRequest request, HttpResponseMessage response, Shown shown, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status == 200 || request.AlsoGood.Contains(status))
            return response;
        using (response)
        {
            var at = place.At(response.RequestMessage!.RequestUri!);
            return status switch
            {
                404 when request.Method == HttpMethod.Head || request.UnknownCodes.Count == 0
                    || await UpstreamErrors.HasAnyAsync(
                        response, request.UnknownCodes, place.Name, patience, cancellationToken)
                    => request.Unknown,
                404 => NotShown(request, $"{place.Name} answers 404, and not that it does not know it"),
                // Who is known and is not let in, is not shown it.
                401 or 403 when IsOwn(response) && shown.Header is not null
                    => NotShown(request, string.Create(CultureInfo.InvariantCulture, $"{place.Name} answers {status}")),
                429 => OciError.UpstreamTooOften(place.Name, UpstreamAnswer.Wait(response, time)),
                >= 500 => OciError.UpstreamUnavailable(place.Name, Answers()),
                _ => OciError.UpstreamFault(place.Name, Answers()),
            };

            string Answers() => string.Create(CultureInfo.InvariantCulture, $"{at}answers {status}");
        }
    }

    private static OciError NotShown(UpstreamRequest request, string? why)
        => request.Unknown with { MayExist = true, OnlyForLog = why };

    private bool IsOwn(HttpResponseMessage response) => place.IsUpstream(response.RequestMessage!.RequestUri!);

    private static IEnumerable<string> Values(HttpResponseMessage response, string name)
        => response.Headers.NonValidated.TryGetValues(name, out var values) ? values : [];
}
