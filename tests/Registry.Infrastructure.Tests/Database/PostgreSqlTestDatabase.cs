using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>A schema of the PostgreSQL server that all tests share.</summary>
public sealed class PostgreSqlTestDatabase : TestDatabase
{
    public string Schema { get; } = $"test_{Guid.NewGuid():N}";

    internal override RegistryDatabase Connect(TimeProvider time) => new Node(Schema, time as ManualTime);

    protected override void Dispose(bool disposing) => SharedPostgreSql.DropSchemaAsync(Schema).GetAwaiter().GetResult();

    /// <summary>One node's access. The clock of the database is the tests' own when they want to turn it.</summary>
    private sealed class Node(string schema, ManualTime? time) : RegistryDatabase
    {
        private PostgreSqlDatabase? _database;

        public override bool IsShared => true;

        public override async Task OpenAsync(CancellationToken cancellationToken)
        {
            _database = new(await SharedPostgreSql.UseSchemaAsync(schema), new(), NullLogger<PostgreSqlDatabase>.Instance);
            await _database.OpenAsync(cancellationToken);
            if (time is not null)
            {
                await _database.WriteAsync(
                    session => session.Connection.ExecuteAsync(
                        """
                        CREATE OR REPLACE FUNCTION registry_now() RETURNS BIGINT LANGUAGE SQL STABLE
                            AS $$ SELECT current_setting('registry.now')::BIGINT $$
                        """),
                    durable: false,
                    cancellationToken);
            }
        }

        public override Task<bool> IsCurrentAsync(CancellationToken cancellationToken) => _database!.IsCurrentAsync(cancellationToken);

        public override Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken)
            => _database!.ReadAsync(session => AtAsync(session, read), cancellationToken);

        public override Task<T> WriteAsync<T>(Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
            => _database!.WriteAsync(session => AtAsync(session, write), durable, cancellationToken);

        public override Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => _database!.AloneAsync(work, cancellationToken);

        public override ValueTask DisposeAsync() => _database?.DisposeAsync() ?? ValueTask.CompletedTask;

        private async Task<T> AtAsync<T>(DatabaseSession session, Func<DatabaseSession, Task<T>> work)
        {
            if (time is not null)
                await session.Connection.ExecuteAsync("SELECT set_config('registry.now', @now, false)", new { now = $"{time.Milliseconds}" });
            return await work(session);
        }
    }
}
