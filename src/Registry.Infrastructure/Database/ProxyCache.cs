using System.Text.Json;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IProxyCache"/>
/// <remarks>None of it is durable against a power cut: the upstream is asked again then.</remarks>
internal sealed class ProxyCache(RegistryDatabase database) : IProxyCache
{
    // A tag that was never confirmed is as old as it can be.
    private const string ByTag =
        """
        SELECT m.digest, m.media_type, m.size, m.payload, registry_now() - COALESCE(t.checked_at, 0)
        FROM repositories r
        JOIN tags t ON t.repository_id = r.id AND t.name = @tag
        JOIN manifests m ON m.repository_id = r.id AND m.digest = t.digest
        WHERE r.registry = @registry AND r.name = @name
        """;

    public Task<CachedManifest?> FindAsync(
        RepositoryIdentity repository, Tag tag, CancellationToken cancellationToken)
        => database.ReadAsync(
            session =>
            {
                var command = session.Prepared(
                    ByTag,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@tag", tag.Value));
                using var row = DatabaseSession.OpenRow(command);
                return Task.FromResult(row is null
                    ? null
                    : new CachedManifest(
                        ManifestIndex.ToManifest(row), TimeSpan.FromMilliseconds(row.GetInt64(4))));
            },
            cancellationToken);

    public Task ConfirmAsync(
        RepositoryIdentity repository, Tag tag, Digest digest, CancellationToken cancellationToken)
        => database.WriteAsync(
            async session => await session.FindRepositoryAsync(repository) is { } id
                && await ConfirmAsync(session, id, tag, digest.ToColumn()) > 0,
            durable: false,
            cancellationToken);

    /// <inheritdoc cref="IProxyCache.ConfirmAsync"/>
    public static Task<int> ConfirmAsync(DatabaseSession session, long repository, Tag tag, byte[] digest)
        => session.ExecuteAsync(
            """
            UPDATE tags SET checked_at = registry_now()
            WHERE repository_id = @repository AND name = @tag AND digest = @digest
            """,
            ("@repository", repository),
            ("@tag", tag.Value),
            ("@digest", digest));

    public Task<CachedReferrers?> FindReferrersAsync(
        RepositoryIdentity repository, Digest subject, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                var command = session.Prepared(
                    """
                    SELECT p.referrers, registry_now() - p.checked_at
                    FROM repositories r JOIN proxied_referrers p ON p.repository_id = r.id AND p.subject = @subject
                    WHERE r.registry = @registry AND r.name = @name
                    """,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@subject", subject.ToColumn()));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                return await row.ReadAsync(cancellationToken)
                    ? new CachedReferrers(Kept.Read(row.GetString(0)), TimeSpan.FromMilliseconds(row.GetInt64(1)))
                    : null;
            },
            cancellationToken);

    public Task KeepReferrersAsync(
        RepositoryIdentity repository, Digest subject, IReadOnlyList<Referrer> referrers,
        CancellationToken cancellationToken)
        => database.WriteAsync(
            async session =>
            {
                // A question about what is not there must not make a repository of it.
                if (referrers.Count == 0 && await session.FindRepositoryAsync(repository) is null)
                    return 0;
                return await session.ExecuteAsync(
                    """
                    INSERT INTO proxied_referrers (repository_id, subject, referrers, checked_at)
                    VALUES (@repository, @subject, @referrers, registry_now())
                    ON CONFLICT (repository_id, subject) DO UPDATE
                    SET referrers = excluded.referrers, checked_at = excluded.checked_at
                    """,
                    ("@repository", await session.EnsureRepositoryAsync(repository)),
                    ("@subject", subject.ToColumn()),
                    ("@referrers", JsonSerializer.Serialize(referrers.Select(Kept.Of))));
            },
            durable: false,
            cancellationToken);

    private sealed record Kept(string MediaType, string Digest, long Size, string? ArtifactType, string? Annotations)
    {
        public static Kept Of(Referrer referrer) => new(
            referrer.MediaType, referrer.Digest.ToString(), referrer.Size, referrer.ArtifactType,
            referrer.Annotations);

        public static IReadOnlyList<Referrer> Read(string json)
            =>
            [
                .. JsonSerializer.Deserialize<List<Kept>>(json)!.Select(kept => new Referrer(
                    kept.MediaType, Domain.Blobs.Digest.Parse(kept.Digest), kept.Size, kept.ArtifactType,
                    kept.Annotations)),
            ];
    }
}
