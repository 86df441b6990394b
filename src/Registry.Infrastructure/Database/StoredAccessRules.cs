using System.Data.Common;
using System.Security.Cryptography;
using Registry.Application.Access.Rules;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IAccessRules"/>
internal sealed class StoredAccessRules(RegistryDatabase database, AccessChanges changes) : IAccessRules
{
    private const string Columns
        = "id, subject, registry, repositories, actions, denies, version, created_at, updated_at";

    private const string Exists = "SELECT 1 FROM access_rules WHERE id = @key";

    public Task<Page<StoredRule>> ListAsync(PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => VersionedRows.PageAsync(
                session.Prepared(
                    $"SELECT {Columns} FROM access_rules WHERE id > @after ORDER BY id LIMIT @limit",
                    ("@after", page.After ?? ""),
                    ("@limit", page.Size + 1L)),
                page.Size,
                Read),
            cancellationToken);

    public async Task<StoredRule?> FindAsync(string id, CancellationToken cancellationToken)
        => IsId(id)
            ? await database.ReadAsync(
                session => VersionedRows.SingleAsync(
                    session.Prepared($"SELECT {Columns} FROM access_rules WHERE id = @id", ("@id", id)), Read),
                cancellationToken)
            : null;

    public async Task<StoredRule> AddAsync(AccessRule rule, CancellationToken cancellationToken)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var added = await changes.ChangeAsync<StoredRule>(
            async session => (await VersionedRows.SingleAsync(
                session.Prepared(
                    $"""
                    INSERT INTO access_rules
                        (id, subject, registry, repositories, actions, denies, version, created_at, updated_at)
                    VALUES
                        (@id, @subject, @registry, @repositories, @actions, @denies, 1, registry_now(), registry_now())
                    RETURNING {Columns}
                    """,
                    [("@id", id), .. Values(rule)]),
                Read))!,
            cancellationToken);
        return added.Match(
            stored => stored, errors => throw new InvalidOperationException($"No rule was added: {errors[0].Message}"));
    }

    public Task<Result<StoredRule>> ReplaceAsync(
        string id, AccessRule rule, long? version, CancellationToken cancellationToken)
        => ChangeAsync(
            id,
            session => session.Prepared(
                $"""
                UPDATE access_rules SET subject = @subject, registry = @registry, repositories = @repositories,
                    actions = @actions, denies = @denies, version = version + 1, updated_at = registry_now()
                WHERE id = @id AND version = COALESCE(@version, version)
                RETURNING {Columns}
                """,
                [("@id", id), ("@version", version), .. Values(rule)]),
            cancellationToken);

    public Task<Result<StoredRule>> RemoveAsync(string id, long? version, CancellationToken cancellationToken)
        => ChangeAsync(
            id,
            session => session.Prepared(
                $"""
                DELETE FROM access_rules WHERE id = @id AND version = COALESCE(@version, version)
                RETURNING {Columns}
                """,
                ("@id", id),
                ("@version", version)),
            cancellationToken);

    // Ids come from paths: what cannot be one is not asked for.
    private static bool IsId(string text) => text.Length is > 0 and <= 64 && text.All(char.IsAsciiLetterOrDigit);

    private async Task<Result<StoredRule>> ChangeAsync(
        string id, Func<DatabaseSession, DbCommand> change, CancellationToken cancellationToken)
        => IsId(id)
            ? await changes.ChangeAsync(
                session => VersionedRows.ChangedAsync(
                    session, change(session), Read, Exists, id, StoredRule.Called(id)),
                cancellationToken)
            : OciError.Unknown(StoredRule.Called(id));

    private static (string Name, object? Value)[] Values(AccessRule rule) =>
    [
        ("@subject", rule.Subject.Text),
        ("@registry", rule.Grant.Registry?.Value),
        ("@repositories", AccessRuleColumns.Repositories(rule.Grant)),
        ("@actions", AccessRuleColumns.Actions(rule.Grant)),
        ("@denies", rule.Denies ? 1L : 0L),
    ];

    private static StoredRule Read(DbDataReader row) => new(
        row.GetString(0),
        AccessRuleColumns.Rule(
            row.GetString(1), row.TextOrNull(2), row.GetString(3), row.GetString(4), row.GetInt64(5) != 0),
        row.GetInt64(6), row.Time(7), row.Time(8));
}
