using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>
/// The users that this registry itself keeps. A change counts here when it returns, and within 5 seconds on every other
/// node; one of the password, or that locks somebody out, ends all tokens of that user too.
/// </summary>
/// <remarks>
/// Where a version is asked for, the change is made only while the user has it, and refused as
/// <see cref="ErrorReason.Changed"/> otherwise; null makes it in any case.
/// </remarks>
public interface ILocalUsers
{
    Task<LocalUser?> FindAsync(AccountName name, CancellationToken cancellationToken);

    /// <summary>In byte order of their names.</summary>
    Task<Page<LocalUser>> ListAsync(UserFilter filter, PageRequest page, CancellationToken cancellationToken);

    /// <summary>Refused as <see cref="ErrorReason.Conflict"/> when there is one of that name.</summary>
    Task<Result<LocalUser>> AddAsync(
        AccountName name, string password, bool enabled, CancellationToken cancellationToken);

    /// <param name="administers">
    /// Who may administer: nobody is locked out who is the last local user to do so.
    /// </param>
    Task<Result<LocalUser>> ChangeAsync(
        AccountName name, UserChange change, long? version, Func<Principal, bool> administers,
        CancellationToken cancellationToken);

    /// <summary>Takes the user out of all groups, and its access tokens away. Rules that name it stay.</summary>
    /// <inheritdoc cref="ChangeAsync"/>
    Task<Result<LocalUser>> DeleteAsync(
        AccountName name, long? version, Func<Principal, bool> administers, CancellationToken cancellationToken);
}

/// <param name="Enabled">Whether it can sign in.</param>
/// <param name="Groups">In byte order.</param>
/// <param name="Version">Another one after every change of password or <paramref name="Enabled"/>.</param>
public sealed record LocalUser(
    string Name, bool Enabled, IReadOnlyList<string> Groups, long Version, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <param name="Password">Null leaves it.</param>
/// <param name="Enabled">Null leaves it.</param>
public sealed record UserChange(string? Password, bool? Enabled);

/// <param name="Prefix">What names begin with; empty for all.</param>
/// <param name="Enabled">Null for all.</param>
public sealed record UserFilter(string Prefix, bool? Enabled);
