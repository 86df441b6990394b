using Dapper;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IUploadSessions"/>
/// <remarks>
/// None of these changes is durable against a power cut: whoever loses an open upload to one starts again.
/// </remarks>
internal sealed class UploadSessions(RegistryDatabase database) : IUploadSessions
{
    private const string Columns
        = "id, registry, repository, store, owner, algorithm, position, version, expires_at AS ExpiresAt";

    public Task StartAsync(UploadSession session, CancellationToken cancellationToken)
        => database.WriteAsync(
            write => write.Connection.ExecuteAsync(
                """
                INSERT INTO uploads (id, registry, repository, store, owner, algorithm, position, version, expires_at)
                VALUES (@Id, @Registry, @Repository, @Store, @Owner, @Algorithm, @Offset, @Version, @ExpiresAt)
                """,
                new
                {
                    Id = session.Id.ToString(),
                    Registry = session.Repository.Registry.Value,
                    Repository = session.Repository.Name.Value,
                    session.Store,
                    session.Owner,
                    Algorithm = session.Algorithm.Name,
                    session.Offset,
                    session.Version,
                    ExpiresAt = session.ExpiresAt.ToUnixTimeMilliseconds(),
                }),
            durable: false,
            cancellationToken);

    public Task<UploadSession?> FindAsync(
        RepositoryIdentity repository, UploadId id, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => (await session.Connection.QuerySingleOrDefaultAsync<Row>(
                $"SELECT {Columns} FROM uploads "
                + "WHERE id = @id AND registry = @Registry AND repository = @Name AND expires_at > registry_now()",
                new
                {
                    id = id.ToString(),
                    Registry = repository.Registry.Value,
                    Name = repository.Name.Value,
                }))?.ToSession(),
            cancellationToken);

    public Task<bool> AdvanceAsync(
        UploadSession session, long offset, DateTimeOffset expiresAt, CancellationToken cancellationToken)
        => database.WriteAsync(
            async write => await write.Connection.ExecuteAsync(
                """
                UPDATE uploads SET position = @offset, version = version + 1, expires_at = @expires
                WHERE id = @Id AND version = @Version
                """,
                new
                {
                    offset,
                    expires = expiresAt.ToUnixTimeMilliseconds(),
                    Id = session.Id.ToString(),
                    session.Version,
                }) > 0,
            durable: false,
            cancellationToken);

    public Task<bool> RemoveAsync(RepositoryIdentity repository, UploadId id, CancellationToken cancellationToken)
        => database.WriteAsync(
            async session => await session.Connection.ExecuteAsync(
                "DELETE FROM uploads WHERE id = @id AND registry = @Registry AND repository = @Name",
                new { id = id.ToString(), Registry = repository.Registry.Value, Name = repository.Name.Value }) > 0,
            durable: false,
            cancellationToken);

    public Task<IReadOnlyList<UploadSession>> ListExpiredAsync(int limit, CancellationToken cancellationToken)
        => database.ReadAsync<IReadOnlyList<UploadSession>>(
            async session => [.. (await session.Connection.QueryAsync<Row>(
                $"SELECT {Columns} FROM uploads WHERE expires_at <= registry_now() ORDER BY expires_at LIMIT @limit",
                new { limit })).Select(row => row.ToSession())],
            cancellationToken);

    public Task<bool> ExistsAsync(UploadId id, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => await session.Connection.ExecuteScalarAsync<long?>(
                "SELECT 1 FROM uploads WHERE id = @id", new { id = id.ToString() }) is not null,
            cancellationToken);

    private sealed record Row(
        string Id, string Registry, string Repository, string Store, string Owner, string Algorithm, long Position,
        long Version, long ExpiresAt)
    {
        public UploadSession ToSession() => new(
            UploadId.Parse(Id),
            new(RegistryName.Parse(Registry), RepositoryName.Parse(Repository)),
            Store,
            Owner,
            Algorithm == DigestAlgorithm.Sha512.Name ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256,
            Position,
            Version,
            DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt));
    }
}
