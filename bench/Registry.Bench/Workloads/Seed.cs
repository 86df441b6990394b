using Dapper;
using Registry.Bench.Servers;
using Registry.Domain.Blobs;
using Registry.Infrastructure.Database;

namespace Registry.Bench.Workloads;

/// <summary>
/// Fills the database of a stopped server with what pushes would have left there: a million of them would take an hour.
/// </summary>
internal static class Seed
{
    private const int Slice = 5_000;

    private static readonly byte[][] Blobs = [Column(Image.ConfigDigest), Column(Image.LayerDigest)];

    /// <summary>Adds tags, each of a manifest of its own, to a repository that holds the blobs already.</summary>
    public static Task TagsAsync(ServerProcess server, string repository, int from, int to)
        => InSlicesAsync(server, from, to, (session, number) =>
        {
            var id = session.Connection.ExecuteScalar<long>(
                "SELECT id FROM repositories WHERE registry = 'default' AND name = @repository", new { repository });
            Manifest(session, id, number, $"v1.{number:0000000}");
        });

    /// <summary>Adds repositories of one tag each.</summary>
    public static Task RepositoriesAsync(ServerProcess server, int from, int to)
        => InSlicesAsync(server, from, to, (session, number) =>
        {
            var id = session.Connection.ExecuteScalar<long>(
                """
                INSERT INTO repositories (registry, name, created_at) VALUES ('default', @name, 1700000000000) RETURNING id
                """,
                new { name = $"many/r{number:000000}" });
            foreach (var blob in Blobs)
            {
                Execute(
                    session,
                    "INSERT INTO repository_blobs (repository_id, digest, store, lease) VALUES (@id, @blob, 'default', 0)",
                    ("@id", id), ("@blob", blob));
            }

            Manifest(session, id, number, "latest");
        });

    private static void Manifest(DatabaseSession session, long repository, int number, string tag)
    {
        var payload = Image.Manifest($"seed {number}");
        var digest = Column(Image.DigestOf(payload));
        Execute(
            session,
            """
            INSERT INTO manifests (repository_id, digest, media_type, config_type, size, lease, pushed_at, annotations, payload)
            VALUES (@repository, @digest, 'application/vnd.oci.image.manifest.v1+json',
                'application/vnd.oci.image.config.v1+json', @size, 0, 1700000000000, NULL, @payload)
            """,
            ("@repository", repository), ("@digest", digest), ("@size", payload.Length), ("@payload", payload));
        foreach (var blob in Blobs)
        {
            Execute(
                session,
                "INSERT INTO manifest_blobs (repository_id, manifest, blob) VALUES (@repository, @digest, @blob)",
                ("@repository", repository), ("@digest", digest), ("@blob", blob));
        }

        Execute(
            session,
            "INSERT INTO tags (repository_id, name, digest, updated_at) VALUES (@repository, @tag, @digest, 1700000000000)",
            ("@repository", repository), ("@tag", tag), ("@digest", digest));
        Execute(
            session,
            """
            INSERT INTO tag_history (repository_id, tag, digest, principal, changed_at)
            VALUES (@repository, @tag, @digest, 'anonymous', 1700000000000)
            """,
            ("@repository", repository), ("@tag", tag), ("@digest", digest));
    }

    private static async Task InSlicesAsync(
        ServerProcess server, int from, int to, Action<DatabaseSession, int> insert)
    {
        await using var database = new SqliteDatabase(
            $"Data Source={Path.Combine(server.Folder, "registry.db")}", TimeProvider.System);
        await database.OpenAsync(CancellationToken.None);
        for (var start = from; start < to; start += Slice)
        {
            var (first, last) = (start, Math.Min(to, start + Slice));
            await database.WriteAsync(
                session =>
                {
                    for (var number = first; number < last; number++)
                        insert(session, number);
                    return Task.FromResult(true);
                },
                durable: false,
                CancellationToken.None);
        }
    }

    private static void Execute(
        DatabaseSession session, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
        => session.Prepared(sql, parameters).ExecuteNonQuery();

    private static byte[] Column(string digest) => Digest.Parse(digest).ToColumn();
}
