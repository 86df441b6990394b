using Dapper;
using Microsoft.Data.Sqlite;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;
using SQLitePCL;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>One writer for all: what it promises to those who share it, also when something fails.</summary>
public sealed class SqliteDatabaseTests : IAsyncLifetime
{
    private readonly SqliteTestDatabase _place = new();
    private RegistryDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = _place.Connect(TimeProvider.System);
        await _database.OpenAsync(CancellationToken.None);
        await ExecuteAsync("CREATE TABLE notes (id INTEGER PRIMARY KEY, text NOT NULL)");
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task The_log_is_written_ahead_and_flushed_with_every_durable_commit()
    {
        Assert.Equal("wal", await ReadAsync<string>("PRAGMA journal_mode"));
        Assert.Equal(2, await SynchronousAsync(durable: true)); // FULL
        Assert.Equal(1, await SynchronousAsync(durable: false)); // NORMAL
        Assert.Equal(2, await SynchronousAsync(durable: true));
        Assert.Equal(1, await ReadAsync<long>("PRAGMA foreign_keys"));
    }

    [Fact]
    public async Task Whoever_waits_together_shares_one_commit_which_flushes_if_one_of_them_wants_it()
    {
        var commits = 0;
        await WriteAsync(session =>
        {
            raw.sqlite3_commit_hook(((SqliteConnection)session.Connection).Handle, _ => { commits++; return 0; }, null);
            return 0;
        });
        var before = commits;
        Task<long>[] queued;
        using (await OccupyAsync())
            queued = [.. Enumerable.Range(0, 50).Select(number => _database.WriteAsync(AddAsync($"{number}"), durable: number == 30, CancellationToken.None))];
        await Task.WhenAll(queued);

        Assert.Equal(before + 2, commits); // theirs, and the one that they waited for
        Assert.Equal(50, await CountAsync());
        Assert.Equal(2, await WriteAsync(session => session.Connection.ExecuteScalar<long>("PRAGMA synchronous")));
    }

    [Fact]
    public async Task A_writer_that_fails_takes_back_its_own_work_and_nobody_elses()
    {
        var good = new List<Task<long>>();
        Task<int> thrown, refused, late;
        using (await OccupyAsync())
        {
            good.Add(_database.WriteAsync(AddAsync("before"), durable: true, CancellationToken.None));
            thrown = _database.WriteAsync<int>(AddAndThrowAsync, durable: true, CancellationToken.None);
            good.Add(_database.WriteAsync(AddAsync("between"), durable: true, CancellationToken.None));
            refused = _database.WriteAsync(
                session => session.Connection.ExecuteAsync("INSERT INTO notes (text) VALUES ('half'); INSERT INTO notes (text) VALUES (NULL)"),
                durable: true,
                CancellationToken.None);
            late = _database.WriteAsync<int>(async _ => { await Task.Delay(50); return 1; }, durable: true, CancellationToken.None);
            good.Add(_database.WriteAsync(AddAsync("behind"), durable: true, CancellationToken.None));
        }

        await Task.WhenAll(good);
        Assert.Equal("mine", (await Assert.ThrowsAsync<FormatException>(() => thrown)).Message);
        Assert.Equal(ErrorReason.Unavailable, (await Assert.ThrowsAsync<StorageException>(() => refused)).Error.Reason);
        await Assert.ThrowsAsync<InvalidOperationException>(() => late);
        Assert.Equal("before,behind,between", await ReadAsync<string>("SELECT group_concat(text) FROM (SELECT text FROM notes ORDER BY text)"));
    }

    [Fact]
    public async Task A_write_that_is_cancelled_while_it_waits_is_never_run()
    {
        using var cancellation = new CancellationTokenSource();
        Task<long> cancelled, other;
        using (await OccupyAsync())
        {
            cancelled = _database.WriteAsync(AddAsync("cancelled"), durable: true, cancellation.Token);
            other = _database.WriteAsync(AddAsync("other"), durable: true, CancellationToken.None);
            await cancellation.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await other;
        Assert.Equal("other", await ReadAsync<string>("SELECT group_concat(text) FROM notes"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _database.WriteAsync(AddAsync("too late"), durable: true, cancellation.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _database.ReadAsync(_ => Task.FromResult(1), cancellation.Token));
    }

    [Fact]
    public async Task A_full_disk_fails_who_needs_the_room_and_the_rest_goes_on()
    {
        await WriteAsync(session => session.Connection.Execute("INSERT INTO notes (text) VALUES ('there before')"));
        await WriteAsync(session => session.Connection.ExecuteScalar<long>(
            $"PRAGMA max_page_count = {session.Connection.ExecuteScalar<long>("PRAGMA page_count") + 1}"));

        Task<long> small, big;
        using (await OccupyAsync())
        {
            small = _database.WriteAsync(AddAsync("small"), durable: true, CancellationToken.None);
            big = _database.WriteAsync(AddAsync(new string('x', 100_000)), durable: true, CancellationToken.None);
        }

        Assert.Equal(ErrorReason.StoreFull, (await Assert.ThrowsAsync<StorageException>(() => big)).Error.Reason);
        var expected = await Succeeded(small) ? 2 : 1;
        var stored = await CountAsync(); // reading goes on
        Assert.Equal(expected, stored);

        await WriteAsync(session => session.Connection.ExecuteScalar<long>("PRAGMA max_page_count = 100000"));
        await _database.WriteAsync(AddAsync(new string('x', 100_000)), durable: true, CancellationToken.None);
        Assert.Equal(stored + 1, await CountAsync());
        Assert.Equal("ok", await ReadAsync<string>("PRAGMA integrity_check"));
    }

    [Fact]
    public async Task A_failing_read_is_a_fault_of_storage_and_leaves_the_next_one_alone()
    {
        var failure = await Assert.ThrowsAsync<StorageException>(() => ReadAsync<long>("SELECT 1 FROM no_such_table"));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        Assert.DoesNotContain("no_such_table", failure.Error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task Readers_do_not_wait_for_the_writer_and_see_what_is_committed()
    {
        await _database.WriteAsync(AddAsync("first"), durable: true, CancellationToken.None);
        using (await OccupyAsync("in the middle"))
            Assert.Equal(1, await CountAsync());
        Assert.Equal(2, await WriteAsync(session => session.Connection.ExecuteScalar<long>("SELECT COUNT(*) FROM notes")));
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task After_a_crash_everything_that_was_committed_is_there()
    {
        for (var number = 0; number < 10; number++)
            await _database.WriteAsync(AddAsync($"{number}"), durable: true, CancellationToken.None);

        Assert.Equal(10, await RecoverAsync(cut: 0));
    }

    [Fact]
    public async Task A_commit_that_a_crash_cut_in_half_is_not_there_and_all_before_it_are()
    {
        for (var number = 0; number < 10; number++)
            await _database.WriteAsync(AddAsync($"{number}"), durable: true, CancellationToken.None);

        Assert.Equal(9, await RecoverAsync(cut: 100));
    }

    [Fact]
    public async Task After_the_end_a_write_is_refused_as_unavailable()
    {
        await _database.DisposeAsync();
        var failure = await Assert.ThrowsAsync<StorageException>(
            () => _database.WriteAsync(AddAsync("late"), durable: true, CancellationToken.None));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
        _database = _place.Connect(TimeProvider.System);
    }

    [Fact]
    public async Task The_end_waits_for_what_is_queued()
    {
        Task<long>[] queued = [.. Enumerable.Range(0, 300).Select(number => _database.WriteAsync(AddAsync($"{number}"), durable: true, CancellationToken.None))];
        await _database.DisposeAsync();
        Assert.All(queued, write => Assert.True(write.IsCompletedSuccessfully));
        Assert.False(File.Exists($"{_place.File}-wal"));

        _database = _place.Connect(TimeProvider.System);
        await _database.OpenAsync(CancellationToken.None);
        Assert.Equal(300, await CountAsync());
    }

    /// <summary>Opens a copy of the files as a crash at this moment would leave them.</summary>
    /// <param name="cut">Bytes that the log had not got yet.</param>
    private async Task<long> RecoverAsync(int cut)
    {
        using var copy = new SqliteTestDatabase();
        File.Copy(_place.File, copy.File);
        var log = await ReadOpenFileAsync($"{_place.File}-wal");
        Assert.NotEmpty(log);
        await File.WriteAllBytesAsync($"{copy.File}-wal", log[..^cut]);

        await using var database = copy.Connect(TimeProvider.System);
        await database.OpenAsync(CancellationToken.None);
        Assert.Equal("ok", await database.ReadAsync(session => session.Connection.ExecuteScalarAsync<string>("PRAGMA integrity_check"), CancellationToken.None));
        return await database.ReadAsync(session => session.Connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM notes"), CancellationToken.None);
    }

    private static async Task<byte[]> ReadOpenFileAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }

    /// <summary>Keeps the writer busy until disposed, so that what is queued meanwhile is one batch.</summary>
    private async Task<IDisposable> OccupyAsync(string? note = null)
    {
        var (occupied, release) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new ManualResetEventSlim());
        _ = WriteAsync(session =>
        {
            if (note is not null)
                session.Connection.Execute("INSERT INTO notes (text) VALUES (@note)", new { note });
            occupied.SetResult();
            return release.Wait(TimeSpan.FromSeconds(30));
        });
        await occupied.Task;
        return new Release(release);
    }

    private sealed class Release(ManualResetEventSlim gate) : IDisposable
    {
        public void Dispose() => gate.Set();
    }

    private static async Task<bool> Succeeded(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompletedSuccessfully;
    }

    private static Func<DatabaseSession, Task<long>> AddAsync(string text)
        => session => session.Connection.ExecuteScalarAsync<long>("INSERT INTO notes (text) VALUES (@text) RETURNING id", new { text });

    private static async Task<int> AddAndThrowAsync(DatabaseSession session)
    {
        await AddAsync("thrown")(session);
        throw new FormatException("mine");
    }

    private Task<long> SynchronousAsync(bool durable)
        => _database.WriteAsync(session => session.Connection.ExecuteScalarAsync<long>("PRAGMA synchronous"), durable, CancellationToken.None);

    private Task<T> WriteAsync<T>(Func<DatabaseSession, T> write)
        => _database.WriteAsync(session => Task.FromResult(write(session)), durable: true, CancellationToken.None);

    private Task<int> ExecuteAsync(string sql) => WriteAsync(session => session.Connection.Execute(sql));

    private Task<T?> ReadAsync<T>(string sql)
        => _database.ReadAsync(session => session.Connection.ExecuteScalarAsync<T>(sql), CancellationToken.None);

    private Task<long> CountAsync() => ReadAsync<long>("SELECT COUNT(*) FROM notes");
}
