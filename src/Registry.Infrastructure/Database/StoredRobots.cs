using System.Data.Common;
using Registry.Application.Access.Robots;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IRobots"/>
internal sealed class StoredRobots(RegistryDatabase database, AccessChanges changes) : IRobots
{
    private const string Columns = "name, description, enabled, version, created_at, updated_at";
    private const string Exists = "SELECT 1 FROM robots WHERE name = @key";

    public Task<Page<Robot>> ListAsync(PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => VersionedRows.PageAsync(
                session.Prepared(
                    $"SELECT {Columns} FROM robots WHERE name > @after ORDER BY name LIMIT @limit",
                    ("@after", page.After ?? ""),
                    ("@limit", page.Size + 1L)),
                page.Size,
                Read),
            cancellationToken);

    public Task<Robot?> FindAsync(RobotName name, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => VersionedRows.SingleAsync(
                session.Prepared($"SELECT {Columns} FROM robots WHERE name = @name", ("@name", name.Value)), Read),
            cancellationToken);

    public async Task<Robot?> AddAsync(RobotName name, string description, CancellationToken cancellationToken)
    {
        var added = await changes.ChangeAsync<Robot>(
            async session => await VersionedRows.SingleAsync(
                session.Prepared(
                    $"""
                    INSERT INTO robots (name, description, enabled, version, created_at, updated_at)
                    VALUES (@name, @description, 1, registry_now(), registry_now(), registry_now())
                    ON CONFLICT (name) DO NOTHING
                    RETURNING {Columns}
                    """,
                    ("@name", name.Value),
                    ("@description", description)),
                Read) is { } robot
                    ? robot
                    : OciError.Exists(Robot.Called(name)),
            cancellationToken);
        return added.TryGet(out var made, out _) ? made : null;
    }

    public Task<Result<Robot>> ChangeAsync(
        RobotName name, string? description, bool? enabled, long? version, CancellationToken cancellationToken)
        => changes.ChangeAsync(
            session => VersionedRows.ChangedAsync(
                session,
                session.Prepared(
                    $"""
                    UPDATE robots SET description = COALESCE(@description, description),
                        enabled = COALESCE(@enabled, enabled), version = version + 1, updated_at = registry_now()
                    WHERE name = @name AND version = COALESCE(@version, version)
                    RETURNING {Columns}
                    """,
                    ("@description", description),
                    ("@enabled", enabled is { } on ? (on ? 1L : 0L) : null),
                    ("@name", name.Value),
                    ("@version", version)),
                Read,
                Exists,
                name.Value,
                Robot.Called(name)),
            cancellationToken);

    public Task<Result<Robot>> RemoveAsync(RobotName name, long? version, CancellationToken cancellationToken)
        => changes.ChangeAsync(
            session => VersionedRows.ChangedAsync(
                session,
                session.Prepared(
                    $"""
                    DELETE FROM robots WHERE name = @name AND version = COALESCE(@version, version)
                    RETURNING {Columns}
                    """,
                    ("@name", name.Value),
                    ("@version", version)),
                Read,
                Exists,
                name.Value,
                Robot.Called(name)),
            cancellationToken);

    private static Robot Read(DbDataReader row) => new(
        RobotName.Parse(row.GetString(0)), row.GetString(1), row.GetInt64(2) != 0, row.GetInt64(3), row.Time(4),
        row.Time(5));
}
