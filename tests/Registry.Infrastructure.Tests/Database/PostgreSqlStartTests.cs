using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Registry.Infrastructure.Database;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Which servers are used, which are refused, and in which words.</summary>
public sealed class PostgreSqlStartTests : IAsyncLifetime
{
    private const string Key = "Registry:Database:ConnectionString";

    private readonly string _schema = $"test_{Guid.NewGuid():N}";
    private string _place = null!;

    public async Task InitializeAsync() => _place = await SharedPostgreSql.UseSchemaAsync(_schema);

    public Task DisposeAsync() => SharedPostgreSql.DropSchemaAsync(_schema);

    [Fact]
    public async Task Nodes_that_start_at_once_apply_every_step_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => OpenAsync(_place))));
        Assert.Equal(1, await ScalarAsync<long>("SELECT COUNT(*) FROM schema_migrations WHERE number = 1"));
        var applied = await ScalarAsync<string>("SELECT string_agg(number || checksum || applied_at, ',') FROM schema_migrations");
        await OpenAsync(_place);
        Assert.Equal(applied, await ScalarAsync<string>("SELECT string_agg(number || checksum || applied_at, ',') FROM schema_migrations"));
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused_and_left_alone()
    {
        await OpenAsync(_place);
        await ExecuteAsync("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (9999, '9999_future', 'x', 0)");
        await RefuseAsync(_place, "newer version");
        Assert.Equal(1, await ScalarAsync<long>("SELECT COUNT(*) FROM schema_migrations WHERE number = 9999"));
    }

    [Fact]
    public async Task A_schema_step_that_is_not_the_one_this_program_knows_is_refused()
    {
        await OpenAsync(_place);
        await ExecuteAsync("UPDATE schema_migrations SET checksum = 'altered' WHERE number = 1");
        await RefuseAsync(_place, "0001_initial");
    }

    [Fact]
    public async Task A_schema_step_that_fails_leaves_nothing_half_done()
    {
        await ExecuteAsync("CREATE TABLE tags (of_something_else TEXT)");
        await RefuseAsync(_place, "tags", Key);
        Assert.Equal("tags", await ScalarAsync<string>("SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = current_schema()"));
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
        => await RefuseAsync(Changed(place => place.Password = "wrong guess"), Key, $"user '{PostgreSqlProcess.User}'", "Password");

    [Fact]
    public async Task An_unknown_user_is_refused()
        => await RefuseAsync(Changed(place => place.Username = "nobody"), Key, "user 'nobody'", "Username");

    [Fact]
    public async Task A_database_that_is_not_there_is_refused()
        => await RefuseAsync(Changed(place => place.Database = "missing"), Key, "database 'missing'", "CREATE DATABASE");

    [Fact]
    public async Task A_server_that_is_not_there_is_refused()
        => await RefuseAsync(Changed(place => place.Port = LoopbackPort.Free()), Key, "cannot be reached", "refused", "Host and Port");

    [Fact]
    public async Task A_host_that_has_no_address_is_refused()
        => await RefuseAsync(Changed(place => place.Host = "no-such-host.invalid"), Key, "'no-such-host.invalid'", "cannot be reached");

    [Fact]
    public async Task Of_several_hosts_the_one_that_is_there_and_takes_writes_is_used()
    {
        var good = new NpgsqlConnectionStringBuilder(_place);
        await OpenAsync(Changed(place => place.Host = $"127.0.0.1:{LoopbackPort.Free()},{good.Host}:{good.Port}"));
        await RefuseAsync(Changed(place => place.Host = $"127.0.0.1:{LoopbackPort.Free()},127.0.0.2:{LoopbackPort.Free()}"), Key, "127.0.0.2");
    }

    [Fact]
    public async Task A_user_who_may_not_make_tables_is_refused()
    {
        var user = $"guest_{Guid.NewGuid():N}"[..30];
        await ExecuteAsync($"CREATE ROLE {user} LOGIN PASSWORD 'guest'");
        try
        {
            await RefuseAsync(Changed(place => (place.Username, place.Password, place.SearchPath) = (user, "guest", "public")), Key, user, "owner");
        }
        finally
        {
            await ExecuteAsync($"DROP ROLE {user}");
        }
    }

    [Fact]
    public async Task A_server_without_room_for_another_connection_is_refused()
    {
        var user = $"guest_{Guid.NewGuid():N}"[..30];
        await ExecuteAsync($"CREATE ROLE {user} LOGIN PASSWORD 'guest' CONNECTION LIMIT 0");
        try
        {
            await RefuseAsync(Changed(place => (place.Username, place.Password) = (user, "guest")), Key, "no connection left", "Registry:Database:MaxConnections");
        }
        finally
        {
            await ExecuteAsync($"DROP ROLE {user}");
        }
    }

    [Fact]
    public async Task A_database_whose_encoding_cannot_hold_every_text_is_refused()
    {
        var name = $"latin_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        try
        {
            await RefuseAsync(Changed(place => (place.Database, place.SearchPath) = (name, null)), Key, "LATIN1", "ENCODING 'UTF8'");
        }
        finally
        {
            await ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
        }
    }

    [Theory]
    [InlineData("secret-word")]
    [InlineData("postgres://registry:secret-word@db.example.com/registry")]
    [InlineData("Host=db;Password=abc;secret-word=x")]
    [InlineData("Host=db;Port=secret-word")]
    [InlineData("Database=registry;Password=secret-word")]
    [InlineData("")]
    public async Task A_text_that_is_no_connection_string_is_refused_and_not_repeated(string text)
    {
        var refusal = await RefuseAsync(text, Key, "Host=…");
        Assert.DoesNotContain("secret-word", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("13.18", false)]
    [InlineData("9.6.24", false)]
    [InlineData("14.0", true)]
    [InlineData("18.1", true)]
    public void A_server_that_is_too_old_is_refused_with_the_version_that_is_needed(string version, bool used)
    {
        var server = PostgreSqlServer.Parse("Host=db.example.com;Password=secret-word");
        var refusal = Record.Exception(() => server.RefuseVersion(Version.Parse(version)));
        if (used)
        {
            Assert.Null(refusal);
            return;
        }

        var message = Assert.IsType<StartRefusedException>(refusal).Message;
        Assert.All(["db.example.com", version, "PostgreSQL 14 or newer", Key], text => Assert.Contains(text, message, StringComparison.Ordinal));
        Assert.DoesNotContain("secret-word", message, StringComparison.Ordinal);
    }

    private static async Task OpenAsync(string connectionString)
    {
        await using var database = new PostgreSqlDatabase(connectionString, new(), NullLogger<PostgreSqlDatabase>.Instance);
        await database.OpenAsync(CancellationToken.None);
    }

    private static async Task<string> RefuseAsync(string connectionString, params string[] named)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => OpenAsync(connectionString));
        Assert.All(named, text => Assert.Contains(text, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.DoesNotContain(PostgreSqlProcess.Password, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong guess", refusal.Message, StringComparison.Ordinal);
        return refusal.Message;
    }

    private string Changed(Action<NpgsqlConnectionStringBuilder> change)
    {
        var place = new NpgsqlConnectionStringBuilder(_place);
        change(place);
        return place.ConnectionString;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_place);
        await connection.ExecuteAsync(sql);
    }

    private async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(_place);
        return await connection.ExecuteScalarAsync<T>(sql);
    }
}
