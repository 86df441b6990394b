using System.Data.Common;
using System.Net.Sockets;
using Npgsql;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Which server a connection string means, and in which words it is refused: never with the password.
/// </summary>
internal sealed class PostgreSqlServer
{
    private const string Key = "Registry:Database:ConnectionString";

    // The oldest that its makers have maintained during the life of this program.
    private const int MinimumVersion = 14;

    private readonly NpgsqlConnectionStringBuilder _settings;

    private PostgreSqlServer(NpgsqlConnectionStringBuilder settings) => _settings = settings;

    private string Name => $"'{_settings.Host}' (port {_settings.Port})";

    /// <exception cref="StartRefusedException">It is no connection string for PostgreSQL.</exception>
    public static PostgreSqlServer Parse(string connectionString)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(connectionString);
            if (!string.IsNullOrEmpty(settings.Host))
                return new(settings);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            // Its message may repeat a part of the text, and so of the password.
        }

        throw new StartRefusedException(
            $"{Key} is no connection string for PostgreSQL: "
            + "write it as Host=…;Database=…;Username=…;Password=… (values with ; or = in quotes).");
    }

    /// <summary>Opens connections without a pool of its own.</summary>
    public NpgsqlDataSource CreateSource()
    {
        var settings = new NpgsqlConnectionStringBuilder(_settings.ConnectionString)
        {
            Pooling = false,
            Enlist = false,
        };
        // Npgsql's own builder would say of every keyword that it has it.
        var given = new DbConnectionStringBuilder { ConnectionString = _settings.ConnectionString };
        SetDefault("Application Name", () => settings.ApplicationName = "registry");
        SetDefault("Timeout", () => settings.Timeout = 5);
        SetDefault("Command Timeout", () => settings.CommandTimeout = 15);
        SetDefault("Max Auto Prepare", () => settings.MaxAutoPrepare = 200);
        SetDefault("Auto Prepare Min Usages", () => settings.AutoPrepareMinUsages = 2);
        if (settings.Host!.Contains(',', StringComparison.Ordinal))
            SetDefault("Target Session Attributes", () => settings.TargetSessionAttributes = "primary");
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();

        void SetDefault(string keyword, Action set)
        {
            if (!given.ContainsKey(keyword))
                set();
        }
    }

    public void RefuseVersion(Version version)
    {
        if (version.Major < MinimumVersion)
            throw Refused($"runs PostgreSQL {version}", $"PostgreSQL {MinimumVersion} or newer is needed");
    }

    public StartRefusedException Refuse(Exception fault) => fault switch
    {
        PostgresException e => e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
                => Refused(
                    $"refuses the user '{_settings.Username}' ({e.MessageText})", "check Username and Password", e),
            PostgresErrorCodes.InvalidCatalogName
                => Refused(
                    $"has no database '{_settings.Database}'", "create it (CREATE DATABASE), or name another one", e),
            PostgresErrorCodes.InsufficientPrivilege
                => Refused(
                    $"does not let the user '{_settings.Username}' do what is needed ({e.MessageText})",
                    "make that user the owner of the database", e),
            PostgresErrorCodes.TooManyConnections
                => Refused(
                    $"has no connection left ({e.MessageText})",
                    "raise its max_connections, or lower Registry:Database:MaxConnections of the nodes", e),
            _ => Refused($"cannot be used ({e.MessageText})", "check what its log says", e),
        },
        { InnerException: AggregateException { InnerExceptions: [var first, ..] } } => Refuse(first),
        { InnerException: SocketException e }
            => Refused($"cannot be reached ({e.Message})", "check Host and Port", fault),
        { InnerException: TimeoutException } or TimeoutException
            => Refused("cannot be reached (no answer in time)", "check Host and Port", fault),
        _ => Refused(
            $"cannot be used ({fault.GetBaseException().Message})", "check the connection string and the server's log",
            fault),
    };

    public StartRefusedException Refused(string problem, string fix, Exception? cause = null)
        => new($"The database server {Name} of {Key} {problem.ReplaceLineEndings(" ")}: {fix}.", cause);
}
