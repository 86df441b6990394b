using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>
/// Groups of local users, which rules can be about. A change counts here when it returns, and within 5 seconds on every
/// other node. What is not there is refused as <see cref="ErrorReason.NotFound"/>.
/// </summary>
/// <remarks>
/// Where a version is asked for, the change is made only while the group has it, and refused as
/// <see cref="ErrorReason.Changed"/> otherwise; null makes it in any case.
/// </remarks>
public interface ILocalGroups
{
    Task<LocalGroup?> FindAsync(AccountName name, CancellationToken cancellationToken);

    /// <summary>In byte order of their names.</summary>
    Task<Page<LocalGroup>> ListAsync(string prefix, PageRequest page, CancellationToken cancellationToken);

    /// <summary>Refused as <see cref="ErrorReason.Conflict"/> when there is one of that name.</summary>
    Task<Result<LocalGroup>> AddAsync(AccountName name, string description, CancellationToken cancellationToken);

    Task<Result<LocalGroup>> DescribeAsync(
        AccountName name, string description, long? version, CancellationToken cancellationToken);

    /// <summary>Rules that name the group stay.</summary>
    /// <param name="administers">
    /// Who may administer: refused when no local user would be left to do so who does now.
    /// </param>
    Task<Result<LocalGroup>> DeleteAsync(
        AccountName name, long? version, Func<Principal, bool> administers, CancellationToken cancellationToken);

    /// <summary>The names of the members, in byte order.</summary>
    Task<Result<Page<string>>> ListMembersAsync(
        AccountName name, PageRequest page, CancellationToken cancellationToken);

    /// <summary>Does nothing when the user is in it already.</summary>
    Task<Result<LocalGroup>> JoinAsync(AccountName name, AccountName user, CancellationToken cancellationToken);

    /// <summary>Does nothing when the user is not in it.</summary>
    /// <inheritdoc cref="DeleteAsync"/>
    Task<Result<LocalGroup>> LeaveAsync(
        AccountName name, AccountName user, Func<Principal, bool> administers, CancellationToken cancellationToken);
}

/// <param name="Version">Another one after every change of the description; members come and go without it.</param>
public sealed record LocalGroup(
    string Name, string Description, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
