using System.Diagnostics;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Many writers on one server: what is repeated, what is told, and who is turned away.</summary>
public sealed class PostgreSqlDatabaseTests : IAsyncLifetime
{
    private readonly string _schema = $"test_{Guid.NewGuid():N}";
    private PostgreSqlDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = await ConnectAsync();
        await ExecuteAsync("CREATE TABLE notes (id INT PRIMARY KEY, text TEXT NOT NULL); INSERT INTO notes VALUES (1, 'one'), (2, 'two')");
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await SharedPostgreSql.DropSchemaAsync(_schema);
    }

    [Fact]
    public async Task Only_what_must_be_durable_waits_for_the_disk()
    {
        Assert.Equal("on", await _database.WriteAsync(CommitAsync, durable: true, CancellationToken.None));
        Assert.Equal("off", await _database.WriteAsync(CommitAsync, durable: false, CancellationToken.None));
        Assert.Equal("on", await _database.ReadAsync(CommitAsync, CancellationToken.None)); // it does not outlive its transaction

        static Task<string?> CommitAsync(DatabaseSession session)
            => session.Connection.ExecuteScalarAsync<string>("SHOW synchronous_commit");
    }

    [Fact]
    public async Task Statements_are_prepared_once_they_come_again()
    {
        await using var single = await ConnectAsync(new() { MaxConnections = 2 });
        for (var time = 0; time < 5; time++)
        {
            await single.ReadAsync(
                session => session.Prepared("SELECT text FROM notes WHERE id = @id", ("@id", 1)).ExecuteScalarAsync(), CancellationToken.None);
            await single.ReadAsync(
                session => session.ForEachAsync("SELECT 2 FROM notes WHERE id = @id", [1, 2, 3], id => [("@id", id)], CancellationToken.None),
                CancellationToken.None);
        }

        var prepared = await single.ReadAsync(
            async session => (await session.Connection.QueryAsync<string>("SELECT statement FROM pg_prepared_statements")).AsList(),
            CancellationToken.None);
        Assert.Contains("SELECT text FROM notes WHERE id = $1", prepared);
        Assert.Contains("SELECT 2 FROM notes WHERE id = $1", prepared);
    }

    [Fact]
    public async Task What_the_connection_string_says_stands_above_the_defaults()
    {
        Assert.Equal(("registry", 5, 15), await SettingsAsync("Host=db"));
        Assert.Equal(("mine", 7, 30), await SettingsAsync("Host=db;ApplicationName=mine;Timeout=7;Command Timeout=30"));

        static async Task<(string?, int, int)> SettingsAsync(string text)
        {
            await using var source = PostgreSqlServer.Parse(text).CreateSource();
            var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
            return (settings.ApplicationName, settings.Timeout, settings.CommandTimeout);
        }
    }

    [Fact]
    public async Task Writers_that_lock_each_other_out_both_succeed()
    {
        using var both = new Barrier(2);
        var meet = 2;
        await Task.WhenAll(UpdateAsync(1, 2), UpdateAsync(2, 1));
        Assert.Equal("one++,two++", await TextsAsync());

        Task<int> UpdateAsync(int first, int second) => Task.Run(() => _database.WriteAsync(
            async session =>
            {
                await AppendAsync(session, first);
                if (Interlocked.Decrement(ref meet) >= 0)
                    both.SignalAndWait(TimeSpan.FromSeconds(30)); // each has what the other one wants
                await AppendAsync(session, second);
                return 0;
            },
            durable: true,
            CancellationToken.None));
    }

    [Fact]
    public async Task A_write_that_could_not_be_serialized_is_repeated_as_a_whole()
    {
        var tries = 0;
        await _database.WriteAsync(
            async session =>
            {
                await AppendAsync(session, 1);
                if (++tries < 3)
                    throw new PostgresException("could not serialize access", "ERROR", "ERROR", PostgresErrorCodes.SerializationFailure);
                return 0;
            },
            durable: true,
            CancellationToken.None);

        Assert.Equal(3, tries);
        Assert.Equal("one+,two", await TextsAsync());
    }

    [Fact]
    public async Task A_connection_that_is_cut_before_the_commit_costs_nothing()
    {
        var tries = 0;
        await _database.WriteAsync(
            async session =>
            {
                await AppendAsync(session, 1);
                if (++tries == 1)
                    await CutAsync(session);
                await AppendAsync(session, 2);
                return 0;
            },
            durable: true,
            CancellationToken.None);

        Assert.Equal(2, tries);
        Assert.Equal("one+,two+", await TextsAsync());
    }

    [Fact]
    public async Task Reads_go_on_over_connections_that_were_cut_while_they_were_idle()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ReadAsync("SELECT 1 FROM pg_sleep(0.05)")));
        await using (var other = await ConnectAsync())
        {
            await other.ReadAsync(
                session => session.Connection.ExecuteAsync(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = @schema AND pid <> pg_backend_pid()",
                    new { schema = _schema }),
                CancellationToken.None);
        }

        var reads = await Task.WhenAll(Enumerable.Range(0, 40).Select(number => ReadAsync($"SELECT {number}")));
        Assert.Equal(Enumerable.Range(0, 40), reads);
    }

    [Fact]
    public async Task A_commit_whose_outcome_nobody_knows_is_told_and_never_done_twice()
    {
        var tries = 0;
        var failure = await Assert.ThrowsAsync<StorageException>(() => _database.WriteAsync(
            async session =>
            {
                tries++;
                await AppendAsync(session, 1);
                // Deferred to the commit, which it ends without an answer.
                await session.Connection.ExecuteAsync(
                    """
                    CREATE FUNCTION cut() RETURNS TRIGGER LANGUAGE plpgsql AS $$
                        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
                    CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();
                    UPDATE notes SET text = text WHERE id = 2
                    """);
                return 0;
            },
            durable: true,
            CancellationToken.None));

        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.Equal(1, tries);
        Assert.Equal("one,two", await TextsAsync());
    }

    [Fact]
    public async Task A_statement_that_fails_is_a_fault_of_storage_and_tells_nothing_of_it()
    {
        var failure = await Assert.ThrowsAsync<StorageException>(() => ReadAsync("SELECT 1 FROM no_such_table"));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.DoesNotContain("no_such_table", failure.Error.Message, StringComparison.Ordinal);

        await Assert.ThrowsAsync<FormatException>(() => _database.WriteAsync<int>(
            async session =>
            {
                await AppendAsync(session, 1);
                throw new FormatException();
            },
            durable: true,
            CancellationToken.None));
        Assert.Equal("one,two", await TextsAsync());
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such()
    {
        var failure = await Assert.ThrowsAsync<StorageException>(() => _database.WriteAsync(
            session => session.Connection.ExecuteAsync("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"),
            durable: true,
            CancellationToken.None));
        Assert.Equal(ErrorReason.StoreFull, failure.Error.Reason);
    }

    [Fact]
    public async Task Who_waits_for_a_connection_gets_one_in_time_or_is_turned_away()
    {
        await using var small = await ConnectAsync(new() { MaxConnections = 2, MaxWait = TimeSpan.FromMilliseconds(400) });
        var release = new TaskCompletionSource();
        var busy = await HoldAsync(small, 2, release.Task);

        var clock = Stopwatch.StartNew();
        var late = await Assert.ThrowsAsync<StorageException>(() => small.ReadAsync(OneAsync, CancellationToken.None));
        Assert.Equal(ErrorReason.Unavailable, late.Error.Reason);
        Assert.InRange(clock.Elapsed, TimeSpan.FromMilliseconds(350), TimeSpan.FromSeconds(10));

        var patient = small.ReadAsync(OneAsync, CancellationToken.None);
        release.SetResult();
        Assert.Equal(1, await patient);
        await Task.WhenAll(busy);
    }

    [Fact]
    public async Task A_crowd_is_turned_away_at_once_and_the_server_sees_no_more_connections_than_allowed()
    {
        await using var small = await ConnectAsync(new() { MaxConnections = 2, MaxWait = TimeSpan.FromSeconds(30) });
        var release = new TaskCompletionSource();
        var busy = await HoldAsync(small, 2, release.Task);
        var crowd = Enumerable.Range(0, 1000).Select(_ => small.ReadAsync(OneAsync, CancellationToken.None)).ToArray();

        var refused = crowd.Where(read => read.IsFaulted).ToArray();
        Assert.Equal(1000 - (2 * PostgreSqlConnections.MaxWaitingPerConnection), refused.Length);
        Assert.Equal(
            2 + 1, // and the one that counts
            await ReadAsync("SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')"));

        release.SetResult();
        await Task.WhenAll(crowd.Except(refused));
        await Task.WhenAll(busy);
    }

    [Fact]
    public async Task Who_goes_away_while_he_waits_leaves_his_place()
    {
        await using var small = await ConnectAsync(new() { MaxConnections = 2 });
        using var gone = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => small.ReadAsync(
            session => session.Connection.ExecuteScalarAsync<int>(new("SELECT 1 FROM pg_sleep(30)", cancellationToken: gone.Token)), gone.Token));
        for (var time = 0; time < 10; time++)
            Assert.Equal(1, await small.ReadAsync(OneAsync, CancellationToken.None));
    }

    [Fact]
    public async Task After_the_end_work_is_refused_as_unavailable()
    {
        var other = await ConnectAsync();
        await other.DisposeAsync();
        var failure = await Assert.ThrowsAsync<StorageException>(() => other.ReadAsync(OneAsync, CancellationToken.None));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
    }

    [Fact]
    public async Task One_statement_for_many_items_answers_for_each()
    {
        int[] items = [.. Enumerable.Range(-300, 600)];
        var found = await _database.ReadAsync(
            session => session.ForEachAsync("SELECT 1 FROM notes WHERE id = @id", items, item => [("@id", item)], CancellationToken.None),
            CancellationToken.None);
        Assert.Equal(items.Select(item => item is 1 or 2), found);
    }

    [Fact]
    public async Task Of_nodes_that_want_to_be_alone_one_is_at_a_time()
    {
        await using var other = await ConnectAsync();
        var (inside, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(number => (number % 2 == 0 ? _database : other).AloneAsync(
            async () =>
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                await Task.Delay(5);
                Interlocked.Decrement(ref inside);
            },
            CancellationToken.None)));
        Assert.Equal(1, most);
    }

    private static Task<int> OneAsync(DatabaseSession session) => session.Connection.ExecuteScalarAsync<int>("SELECT 1");

    // Pieces of work that have their connections when this returns, and keep them until they are released.
    private static async Task<Task[]> HoldAsync(PostgreSqlDatabase database, int connections, Task release)
    {
        var connected = Enumerable.Range(0, connections).Select(_ => new TaskCompletionSource()).ToArray();
        var busy = connected.Select(one => (Task)database.ReadAsync(
            async _ =>
            {
                one.SetResult();
                await release;
                return 0;
            },
            CancellationToken.None)).ToArray();
        await Task.WhenAll(connected.Select(one => one.Task)).WaitAsync(TimeSpan.FromSeconds(30));
        return busy;
    }

    private static Task<int> AppendAsync(DatabaseSession session, int id)
        => session.Connection.ExecuteAsync("UPDATE notes SET text = text || '+' WHERE id = @id", new { id });

    // As an administrator does, from another connection.
    private async Task CutAsync(DatabaseSession session)
    {
        var victim = ((NpgsqlConnection)session.Connection).ProcessID;
        await using var other = await ConnectAsync();
        await other.ReadAsync(
            admin => admin.Connection.ExecuteAsync("SELECT pg_terminate_backend(@victim, 5000)", new { victim }), CancellationToken.None);
    }

    private async Task<PostgreSqlDatabase> ConnectAsync(DatabaseOptions? options = null)
    {
        var place = await SharedPostgreSql.UseSchemaAsync(_schema);
        var database = new PostgreSqlDatabase(
            $"{place};Application Name={_schema}", options ?? new(), NullLogger<PostgreSqlDatabase>.Instance);
        await database.OpenAsync(CancellationToken.None);
        return database;
    }

    private Task<int> ReadAsync(string sql)
        => _database.ReadAsync(session => session.Connection.ExecuteScalarAsync<int>(sql), CancellationToken.None);

    private Task<string?> TextsAsync()
        => _database.ReadAsync(
            session => session.Connection.ExecuteScalarAsync<string>("SELECT string_agg(text, ',' ORDER BY id) FROM notes"), CancellationToken.None);

    private Task<int> ExecuteAsync(string sql)
        => _database.WriteAsync(session => session.Connection.ExecuteAsync(sql), durable: true, CancellationToken.None);
}
