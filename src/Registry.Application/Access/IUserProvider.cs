using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>A place that knows users, or what stands for them, by what they show.</summary>
public interface IUserProvider
{
    /// <summary>How tokens remember it; one of <see cref="ProviderNames"/>.</summary>
    string Name { get; }

    /// <summary>
    /// Whether people choose what is shown here, so that guesses must be slowed down; nobody guesses what is made here.
    /// </summary>
    bool IsGuessable => true;

    /// <summary>
    /// Who was found with that password a short while ago, without any work; null where it must be verified.
    /// </summary>
    Principal? Recall(string user, string password);

    /// <summary>
    /// Who shows that password, with <see cref="Principal.Account"/>. Null when there is no such user here, after the
    /// work that a wrong password costs: the next provider is asked then. Refused when the user is known here and the
    /// password wrong, or as unavailable when it cannot be found out now.
    /// </summary>
    Task<Result<Principal?>> VerifyAsync(string user, string password, CancellationToken cancellationToken);

    /// <summary>
    /// Who an account of this provider is now, in today's groups and with its account as it is now; null when it is
    /// gone or locked, or has another secret than <see cref="AccountReference.Mark"/> names. Asked at every request
    /// with a bearer token: what is remembered counts for as long as the provider's changes may take.
    /// </summary>
    ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken);

    /// <summary>
    /// The user whom rules know by exactly that name; null when there is none here. Asked as often as
    /// <see cref="FindAsync"/>.
    /// </summary>
    ValueTask<Result<NamedUser?>> FindUserAsync(string name, CancellationToken cancellationToken)
        => new(Result<NamedUser?>.Of(null));
}

/// <param name="Now">The user in today's groups, with its account; null while it is locked.</param>
public sealed record NamedUser(Principal? Now);

/// <summary>The names of the providers.</summary>
public static class ProviderNames
{
    public const string Local = "local";
    public const string Token = "token";
    public const string Htpasswd = "htpasswd";
    public const string Ldap = "ldap";
    public const string Workload = "workload";
}
