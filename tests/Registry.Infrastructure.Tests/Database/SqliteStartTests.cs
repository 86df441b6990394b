using Dapper;
using Microsoft.Data.Sqlite;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Tests.FileSystem;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Which files are opened, which are refused, and in which words.</summary>
[Collection(nameof(Alone))] // one of them limits the size of files
public sealed class SqliteStartTests : IDisposable
{
    private readonly SqliteTestDatabase _place = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_second_start_applies_nothing_twice()
    {
        await OpenAsync();
        var first = await QueryAsync<string>("SELECT number || name || checksum || applied_at FROM schema_migrations ORDER BY number");
        _time.Advance(TimeSpan.FromDays(1));
        await OpenAsync();

        Assert.NotEmpty(first);
        Assert.Equal(first, await QueryAsync<string>("SELECT number || name || checksum || applied_at FROM schema_migrations ORDER BY number"));
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused_and_left_alone()
    {
        await OpenAsync();
        await ExecuteAsync("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (9999, '9999_future', 'x', 0)");

        await RefuseAsync($"Data Source={_place.File}", "newer version");

        Assert.Single(await QueryAsync<long>("SELECT number FROM schema_migrations WHERE number = 9999"));
    }

    [Fact]
    public async Task A_schema_step_that_is_not_the_one_this_program_knows_is_refused()
    {
        await OpenAsync();
        await ExecuteAsync("UPDATE schema_migrations SET checksum = 'altered' WHERE number = 1");
        await RefuseAsync($"Data Source={_place.File}", "0001_initial");
    }

    [Fact]
    public async Task A_schema_step_that_fails_leaves_nothing_half_done()
    {
        await ExecuteAsync("CREATE TABLE tags (of_something_else TEXT)");

        await RefuseAsync($"Data Source={_place.File}", "tags", "Registry:Database:ConnectionString");

        Assert.Equal(["tags"], await QueryAsync<string>("SELECT name FROM sqlite_master WHERE type = 'table'"));
    }

    [Fact]
    public async Task A_disk_without_room_for_the_schema_is_named_as_the_reason()
    {
        using (new FileSizeLimit(40_000))
            await RefuseAsync($"Data Source={_place.File}", "Registry:Database:ConnectionString", "disk");
        await OpenAsync(); // with room, the same file will do
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_left_alone()
    {
        var garbage = GeneratedStream.Bytes(8192);
        await File.WriteAllBytesAsync(_place.File, garbage);

        await RefuseAsync($"Data Source={_place.File}", _place.File, "Registry:Database:ConnectionString");

        Assert.Equal(garbage, await File.ReadAllBytesAsync(_place.File));
    }

    [Fact]
    public async Task A_database_that_cannot_be_written_is_refused()
    {
        await OpenAsync();
        await RefuseAsync($"Data Source={_place.File};Mode=ReadOnly", "readonly", "Registry:Database:ConnectionString");
    }

    [Theory]
    [InlineData("no/such/folder/registry.db")]
    [InlineData(".")]
    public async Task A_place_that_holds_no_file_is_refused(string path)
        => await RefuseAsync($"Data Source={Path.Combine(_place.Folder, path)}", path, "Registry:Database:ConnectionString");

    [Theory]
    [InlineData("registry.db")]
    [InlineData("Data Source=x;Colour=blue")]
    [InlineData("Data Source=x;Mode=Sometimes")]
    public async Task A_connection_string_of_another_kind_is_refused(string text)
        => await RefuseAsync(text, text, "Registry:Database:ConnectionString");

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source=")]
    public async Task A_database_that_would_be_gone_with_the_process_is_refused(string text)
        => await RefuseAsync(text, text, "Registry:Database:ConnectionString");

    [Fact]
    public async Task A_database_that_another_program_is_writing_to_is_refused()
    {
        await OpenAsync();
        await using var other = Connect();
        await other.ExecuteAsync("BEGIN EXCLUSIVE");
        await RefuseAsync($"Data Source={_place.File};Default Timeout=1", "locked", "Registry:Database:ConnectionString");
    }

    private async Task OpenAsync()
    {
        await using var database = _place.Connect(_time);
        await database.OpenAsync(CancellationToken.None);
    }

    private static async Task RefuseAsync(string connectionString, params string[] named)
    {
        await using var database = new SqliteDatabase(connectionString, TimeProvider.System);
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => database.OpenAsync(CancellationToken.None));
        Assert.All(named, text => Assert.Contains(text, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = Connect();
        await connection.ExecuteAsync(sql);
    }

    private async Task<List<T>> QueryAsync<T>(string sql)
    {
        await using var connection = Connect();
        return [.. await connection.QueryAsync<T>(sql)];
    }

    private SqliteConnection Connect()
    {
        SqliteLibrary.Load();
        var connection = new SqliteConnection($"Data Source={_place.File};Pooling=False");
        connection.Open();
        return connection;
    }
}
