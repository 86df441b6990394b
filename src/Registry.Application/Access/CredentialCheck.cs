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
        if (await RecallAsync(user, password, cancellationToken) is { } known)
            return known;

        // Strangers who guess at an account keep nobody waiting who shows a secret that cannot be guessed.
        if (await AskAsync(_secrets, user, password, cancellationToken) is { } secret)
            return secret;

        // One after the other: what a try has found out counts for the next, and the many requests with which a client
        // begins wait for one check.
        using var turn = await delays.TakeTurnAsync(user, address, cancellationToken);
        if (turn is null)
            return OciError.Unavailable("check of passwords");
        if (await RecallAsync(user, password, cancellationToken) is { } found)
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

    private async ValueTask<Principal?> RecallAsync(string user, string password, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _providers.Length; i++)
        {
            if (_providers[i].Recall(user, password) is { } known
                && (!_providers[i].IsGuessable || await IsFirstAsync(i, known, cancellationToken)))
                return known;
        }

        return null;
    }

    // Somebody may have been added to an earlier provider under that name.
    private async ValueTask<bool> IsFirstAsync(int provider, Principal known, CancellationToken cancellationToken)
    {
        var earlier = await Accounts.FindFirstAsync(_providers, provider, NameOf(known), cancellationToken);
        return earlier.TryGet(out var namesake, out _) && namesake is null;
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
        => NameOf(principal) is var name && name == user ? null : name;

    // A provider that takes passwords knows users alone.
    private static string NameOf(Principal user) => user.Name["user:".Length..];
}
