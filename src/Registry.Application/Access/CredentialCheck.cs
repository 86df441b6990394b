using System.Net;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>
/// Finds out who shows a user and password: the providers are asked in their order, and the first that has a user of
/// that name decides, so that nobody becomes somebody else's namesake. Who has failed often waits before the next try.
/// </summary>
public sealed class CredentialCheck(IEnumerable<IUserProvider> providers, LoginDelays delays)
{
    private readonly IUserProvider[] _providers = [.. providers];
    private readonly IUserProvider[] _secrets = [.. providers.Where(provider => !provider.IsGuessable)];
    private readonly IUserProvider[] _passwords = [.. providers.Where(provider => provider.IsGuessable)];

    /// <param name="address">Where the request comes from.</param>
    /// <returns>
    /// Who it is. Refused alike, and after the same work, whether the user is unknown or the password wrong; refused as
    /// <see cref="ErrorReason.TooOften"/> while it has to wait, and as unavailable when it cannot be found out now.
    /// </returns>
    public async Task<Result<Principal>> VerifyAsync(
        string user, string password, IPAddress? address, CancellationToken cancellationToken)
    {
        if (!AccessSubject.IsName(user))
            return OciError.CredentialsWrong();
        if (Recall(user, password) is { } known)
            return known;

        // Strangers who guess at an account keep nobody waiting who shows a secret that cannot be guessed.
        if (await AskAsync(_secrets, user, password, cancellationToken) is { } secret)
            return secret;

        // One after the other: what a try has found out counts for the next, and the many requests with which a client
        // begins wait for one check.
        using var turn = await delays.TakeTurnAsync(user, address, cancellationToken);
        if (turn is null)
            return OciError.Unavailable("check of passwords");
        if (Recall(user, password) is { } found)
            return found;
        if (delays.WaitFor(user, address) is { } wait)
            return OciError.TooManyFailures(wait);
        // To the end: a guess counts, whether its client still waits for the answer or not.
        var verified = await AskAsync(user, password, CancellationToken.None);
        if (verified.TryGet(out _, out var errors))
            delays.Succeeded(user, address);
        else if (errors[0].Reason is ErrorReason.Unauthenticated)
            delays.Failed(user, address);
        return verified;
    }

    private Principal? Recall(string user, string password)
    {
        foreach (var provider in _providers)
        {
            if (provider.Recall(user, password) is { } known && OtherSpelling(known, user) is null)
                return known;
        }

        return null;
    }

    private async Task<Result<Principal>> AskAsync(string user, string password, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _passwords.Length; i++)
        {
            if (await AskAsync(_passwords[i..(i + 1)], user, password, cancellationToken) is not { } answer)
                continue;
            if (!answer.TryGet(out _, out var errors) && errors[0].Reason is ErrorReason.Unauthenticated)
                await PretendAsync(_passwords[(i + 1)..], cancellationToken);
            // A directory takes other spellings of a name. Under its own one an earlier provider may have somebody.
            return answer.TryGet(out var principal, out _) && OtherSpelling(principal, user) is { } name
                ? await AskAsync(_passwords[..i], name, password, cancellationToken) ?? answer
                : answer;
        }

        return OciError.CredentialsWrong();
    }

    // A name that nobody has costs as much: how long a refusal takes does not tell which provider knows the name.
    private static async Task PretendAsync(IUserProvider[] providers, CancellationToken cancellationToken)
    {
        foreach (var provider in providers)
            await provider.VerifyAsync($"{Guid.NewGuid():N}", $"{Guid.NewGuid():N}", cancellationToken);
    }

    /// <summary>What the first of the providers that has such a user says; null when none has.</summary>
    private static async Task<Result<Principal>?> AskAsync(
        IUserProvider[] providers, string user, string password, CancellationToken cancellationToken)
    {
        foreach (var provider in providers)
        {
            var verified = await provider.VerifyAsync(user, password, cancellationToken);
            if (!verified.TryGet(out var principal, out var errors))
                return Result<Principal>.Refused(errors);
            if (principal is not null)
                return principal;
        }

        return null;
    }

    /// <summary>The name that rules know a user by, where it is not the one that was shown; null otherwise.</summary>
    private static string? OtherSpelling(Principal principal, string user)
    {
        const string Prefix = "user:";
        return principal.Name.StartsWith(Prefix, StringComparison.Ordinal)
            && !principal.Name.AsSpan(Prefix.Length).SequenceEqual(user)
                ? principal.Name[Prefix.Length..]
                : null;
    }
}
