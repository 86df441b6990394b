using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Robots;

/// <summary>
/// The robots: accounts of programs, which sign in with tokens alone. Every change counts on this node when it returns,
/// and within seconds on every other.
/// </summary>
public interface IRobots
{
    /// <summary>In byte order of their names.</summary>
    Task<Page<Robot>> ListAsync(PageRequest page, CancellationToken cancellationToken);

    Task<Robot?> FindAsync(RobotName name, CancellationToken cancellationToken);

    /// <summary>An enabled one without tokens; null when one of that name is there already.</summary>
    Task<Robot?> AddAsync(RobotName name, string description, CancellationToken cancellationToken);

    /// <summary>Refused when there is none of that name, or it is not of that version any more.</summary>
    /// <param name="description">Null leaves it as it is.</param>
    /// <param name="enabled">Null leaves it as it is.</param>
    /// <param name="version">Null for whichever it is.</param>
    Task<Result<Robot>> ChangeAsync(
        RobotName name, string? description, bool? enabled, long? version, CancellationToken cancellationToken);

    /// <summary>Takes its tokens away with it. Refused as <see cref="ChangeAsync"/> is.</summary>
    Task<Result<Robot>> RemoveAsync(RobotName name, long? version, CancellationToken cancellationToken);
}

/// <param name="Enabled">Whether its tokens count.</param>
/// <param name="Version">Another one after each change.</param>
public sealed record Robot(
    RobotName Name, string Description, bool Enabled, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>What messages call a robot.</summary>
    public static string Called(RobotName name) => $"Robot '{name}'";
}
