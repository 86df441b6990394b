using System.Collections.Concurrent;
using Dapper;
using Microsoft.Data.Sqlite;
using Registry.Domain.Errors;
using SQLitePCL;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Embedded SQLite in WAL mode: readers never wait, one thread writes, and whoever waits for it while it flushes shares
/// the next flush.
/// </summary>
internal sealed class SqliteDatabase(string connectionString, TimeProvider time) : RegistryDatabase
{
    // Commits that share one flush. More would only make the first of them wait longer.
    private const int MaxBatch = 128;

    // 40 MB of log. A page that many commits change is written back once; more would make the next start longer.
    private const int CheckpointPages = 10_000;

    // Readers look at the file where the system's page cache has it: all of them share one copy, and a read that goes
    // anywhere in a million rows costs what it costs in a thousand. As much as SQLite allows.
    private const long MappedBytes = 0x7fff0000;

    private const int MaxWaiting = 10_000;
    private const int Full = 13;

    // A command, such as one that adds a user, writes to the database of a server that runs: each waits for the other.
    private const int BusyMilliseconds = 10_000;

    private readonly Queue<IWrite> _queue = new(); // its own lock
    private readonly ConcurrentBag<DatabaseSession> _readers = [];
    private Thread? _writer;
    private DatabaseSession? _writing;
    private bool _current;
    private bool _closed; // under the lock of the queue

    public override bool IsShared => false; // the data folder's lock sees to it

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        SqliteLibrary.Load();
        try
        {
            _writing = Connect();
            if (raw.sqlite3_db_readonly(((SqliteConnection)_writing.Connection).Handle, "main") != 0)
                throw Refused("it is readonly");
            // In memory, and on some network drives, there is no such log; SQLite then goes on without saying so.
            if (await _writing.Connection.ExecuteScalarAsync<string>("PRAGMA journal_mode = WAL") != "wal")
                throw Refused("it is no file on a disk that can hold a write-ahead log");
            Execute(_writing, $"PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = {CheckpointPages}");
            if (!_current)
                await Migrations.ApplySqliteAsync(_writing.Connection, cancellationToken);
            Execute(_writing, $"PRAGMA busy_timeout = {BusyMilliseconds}");
        }
        catch (Exception e) when (e is SqliteException or ArgumentException)
        {
            throw Refused(e.Message, e);
        }

        _writer = new(RunWriter) { IsBackground = true, Name = "database writer" };
        _writer.Start();
    }

    public override async Task<bool> IsCurrentAsync(CancellationToken cancellationToken)
    {
        SqliteLibrary.Load();
        try
        {
            if (!File.Exists(new SqliteConnectionStringBuilder(connectionString).DataSource))
                return false;
            await using var session = Connect();
            return _current = await Migrations.IsCurrentSqliteAsync(session.Connection);
        }
        catch (Exception e) when (e is SqliteException or ArgumentException)
        {
            throw Refused(e.Message, e);
        }
    }

    public override async Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        DatabaseSession? session = null;
        try
        {
            if (!_readers.TryTake(out session))
                session = Connect($"PRAGMA mmap_size = {MappedBytes}");
            var result = await read(session);
            _readers.Add(session);
            session = null;
            return result;
        }
        catch (SqliteException e)
        {
            throw Explain(e);
        }
        finally
        {
            if (session is not null)
                await session.DisposeAsync(); // whatever state it is in, nobody else shall have it
        }
    }

    public override Task<T> WriteAsync<T>(
        Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
    {
        var request = new Write<T>(write, durable, cancellationToken);
        lock (_queue)
        {
            if (_closed || _queue.Count == MaxWaiting)
            {
                throw new StorageException(
                    OciError.Unavailable("database"),
                    new TimeoutException(_closed ? "The server stops." : "Too many writes are waiting."));
            }

            _queue.Enqueue(request);
            if (_queue.Count == 1)
                Monitor.Pulse(_queue);
        }

        return request.Result;
    }

    // Nobody else: the data folder's lock keeps other processes out.
    public override Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => work();

    public override async ValueTask DisposeAsync()
    {
        lock (_queue)
        {
            _closed = true;
            Monitor.Pulse(_queue);
        }

        _writer?.Join();
        while (_readers.TryTake(out var session))
            await session.DisposeAsync();
        if (_writing is not null)
            await _writing.DisposeAsync(); // the last connection: writes the WAL back into the database file
    }

    private StartRefusedException Refused(string problem, Exception? cause = null)
        => new(
            $"The database '{connectionString}' cannot be used ({problem}): check Registry:Database:ConnectionString.",
            cause);

    private DatabaseSession Connect(string also = "")
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            connection.CreateFunction("registry_now", () => time.GetUtcNow().ToUnixTimeMilliseconds());
            var session = new DatabaseSession(connection);
            Execute(
                session,
                $"PRAGMA busy_timeout = {BusyMilliseconds}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; "
                    + also);
            return session;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void RunWriter()
    {
        var (session, durable) = (_writing!, true);
        var batch = new List<IWrite>(MaxBatch);
        while (TakeBatch(batch))
        {
            batch.RemoveAll(write => write.IsCancelled());
            if (batch.Count == 0)
                continue;

            try
            {
                var wanted = batch.Exists(write => write.Durable);
                if (wanted != durable)
                {
                    Execute(session, wanted ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
                    durable = wanted;
                }

                Execute(session, "BEGIN IMMEDIATE");
                foreach (var write in batch)
                    Run(write, session);
                Execute(session, "COMMIT");
                batch.ForEach(write => write.Committed());
            }
            catch (Exception e)
            {
                // Nothing of the batch is in the database: everybody in it is told so.
                TryExecute(session, "ROLLBACK");
                var failure = e is SqliteException sqlite ? Explain(sqlite) : e;
                batch.ForEach(write => write.Failed(failure));
            }
        }
    }

    // Waits without spinning: with two processors, a spinning writer takes one from those it waits for.
    private bool TakeBatch(List<IWrite> batch)
    {
        batch.Clear();
        lock (_queue)
        {
            while (_queue.Count == 0)
            {
                if (_closed)
                    return false;
                Monitor.Wait(_queue);
            }

            while (batch.Count < MaxBatch && _queue.TryDequeue(out var next))
                batch.Add(next);
            return true;
        }
    }

    // A writer that fails takes back its own work and nobody else's.
    private static void Run(IWrite write, DatabaseSession session)
    {
        Execute(session, "SAVEPOINT writer");
        try
        {
            write.Run(session);
        }
        catch (SqliteException e) when (raw.sqlite3_get_autocommit(((SqliteConnection)session.Connection).Handle) != 0)
        {
            // SQLite has rolled back the whole transaction (disk full, I/O error)
            throw new StorageException(Explain(e).Error, e);
        }
        catch (Exception e)
        {
            Execute(session, "ROLLBACK TO writer");
            write.Failed(e is SqliteException sqlite ? Explain(sqlite) : e);
        }

        Execute(session, "RELEASE writer");
    }

    private static StorageException Explain(SqliteException e)
        => new(e.SqliteErrorCode == Full ? OciError.StoreFull() : OciError.Unavailable("database"), e);

    private static void Execute(DatabaseSession session, string sql)
    {
        var result = raw.sqlite3_exec(((SqliteConnection)session.Connection).Handle, sql);
        SqliteException.ThrowExceptionForRC(result, ((SqliteConnection)session.Connection).Handle);
    }

    private static void TryExecute(DatabaseSession session, string sql)
        => raw.sqlite3_exec(((SqliteConnection)session.Connection).Handle, sql);

    private interface IWrite
    {
        bool Durable { get; }

        bool IsCancelled();

        void Run(DatabaseSession session);

        void Committed();

        void Failed(Exception e);
    }

    private sealed class Write<T>(
        Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
        : IWrite
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _value;
        private bool _failed;

        public Task<T> Result => _completion.Task;

        public bool Durable => durable;

        public bool IsCancelled()
            => cancellationToken.IsCancellationRequested && _completion.TrySetCanceled(cancellationToken);

        public void Run(DatabaseSession session)
        {
            var running = write(session);
            if (!running.IsCompleted)
                throw new InvalidOperationException(
                    "A write to SQLite may wait for nothing but SQLite, which never waits.");
            _value = running.GetAwaiter().GetResult();
        }

        public void Committed()
        {
            if (!_failed)
                _completion.TrySetResult(_value!);
        }

        public void Failed(Exception e)
        {
            _failed = true;
            _completion.TrySetException(e);
        }
    }
}
