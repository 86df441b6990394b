using Registry.Testing.Processes;

namespace Registry.Bench.Servers;

/// <summary>
/// What the registries of a comparison stand on: folders and the database in the process, or an S3 server that both
/// share and a PostgreSQL for this one. Started here, empty, and ended with it.
/// </summary>
internal sealed class Backends : IAsyncDisposable
{
    // Sparse: what is not used costs nothing.
    private const int S3Gigabytes = 48;

    private readonly S3Server? _s3;
    private readonly PostgreSqlProcess? _postgreSql;

    private Backends(S3Server? s3, PostgreSqlProcess? postgreSql) => (_s3, _postgreSql) = (s3, postgreSql);

    public static async Task<Backends> StartAsync(bool onS3, bool onPostgreSql)
    {
        // On the disk, as it would be: a server in memory flushes nothing, and is soon full.
        var s3 = onS3 ? await S3Server.StartAsync(inMemory: false, S3Gigabytes) : null;
        try
        {
            return new(s3, onPostgreSql ? await PostgreSqlProcess.StartAsync() : null);
        }
        catch
        {
            if (s3 is not null)
                await s3.DisposeAsync();
            throw;
        }
    }

    /// <summary>This repository's server on them.</summary>
    /// <param name="more">Variables of its environment beside those.</param>
    public ServerProcess StartOurs(IReadOnlyDictionary<string, string?>? more = null)
    {
        var settings = new Dictionary<string, string?>(more ?? new Dictionary<string, string?>(), StringComparer.Ordinal);
        if (_postgreSql is not null)
        {
            settings["Registry__Database__Kind"] = "PostgreSql";
            settings["Registry__Database__ConnectionString"] = _postgreSql.ConnectionString();
        }

        foreach (var (key, value) in _s3?.Settings("ours") ?? [])
            settings[$"Registry__Stores__default__{key}"] = value;
        return ServerProcess.Ours(settings: settings);
    }

    /// <summary>CNCF Distribution on the S3 server, in a folder of its own; on files when there is none.</summary>
    public ServerProcess StartDistribution() => ServerProcess.Distribution(_s3 is null ? null : $$"""
              s3:
                regionendpoint: {{_s3.Address}}
                region: us-east-1
                bucket: {{_s3.Bucket}}
                rootdirectory: /theirs
                accesskey: {{_s3.AccessKey}}
                secretkey: {{_s3.SecretKey}}
                secure: false
                v4auth: true
              redirect: { disable: true }
            """);

    public async ValueTask DisposeAsync()
    {
        if (_postgreSql is not null)
            await _postgreSql.DisposeAsync();
        if (_s3 is not null)
            await _s3.DisposeAsync();
    }
}
