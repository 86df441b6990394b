using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Application.Access.Users;
using Registry.Domain.Access;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Local;

/// <summary>
/// Makes the user <c>admin</c>, who may do everything, once in the life of a database, if it has no user yet. The
/// password is one that the configuration names a file of, or one that is made up and written to a file of the data
/// folder before the user is there: a start that breaks off in between leaves the file, and the next one takes it.
/// </summary>
public sealed partial class FirstAdmin
{
    /// <summary>Of the user.</summary>
    public const string Name = "admin";

    /// <summary>In the data folder.</summary>
    public const string FileName = "initial-admin-password";

    private const string PasswordFileKey = "Registry:Access:Admin:PasswordFile";
    private const int MaxFileBytes = 4096;

    private static readonly AccountName Admin = AccountName.Parse(Name);

    private readonly RegistryDatabase _database;
    private readonly AccessChanges _changes;
    private readonly AdminSettings _settings;
    private readonly ILogger<FirstAdmin> _logger;
    private readonly string _file;
    private Action? _notice;

    internal FirstAdmin(
        RegistryDatabase database, AccessChanges changes, AdminSettings settings, string data,
        ILogger<FirstAdmin> logger)
    {
        (_database, _changes, _settings, _logger) = (database, changes, settings, logger);
        _file = Path.Combine(Path.GetFullPath(data), FileName);
    }

    /// <summary>
    /// The file with the password that this start has made up for the user; null when it has made none.
    /// </summary>
    public string? Written { get; private set; }

    /// <summary>Called while no other node starts.</summary>
    /// <exception cref="StartRefusedException">
    /// There is no user, and no password can be given to one: names key, file and fix.
    /// </exception>
    internal async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (!await _database.ReadAsync(IsNeededAsync, cancellationToken))
        {
            await ForgetAsync(cancellationToken);
            return;
        }

        var given = !string.IsNullOrEmpty(_settings.PasswordFile);
        var password = given ? ReadGiven(_settings.PasswordFile!) : ReadOrWriteOwn();
        var hash = LocalPasswords.Hash(password);
        if (!await _database.WriteAsync(session => AddAsync(session, hash), durable: true, cancellationToken))
            return; // somebody has added a user with a command meanwhile
        await _changes.RefreshAsync(cancellationToken);
        Written = given ? null : _file;
        _notice = given
            ? () => Log.MadeOfGiven(_logger, Name, PasswordFileKey)
            : () => Log.Made(_logger, Name, _file);
    }

    /// <summary>Tells in the log what there is to know. Called once the start is over.</summary>
    internal void Tell() => _notice?.Invoke();

    // The password was changed, or another node was faster than a start that broke off here: nobody shall take what the
    // file says for what counts.
    private async Task ForgetAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!File.Exists(_file))
                return;
            var admin = await _database.ReadAsync(
                session => LocalAccount.FindAsync(session, Name, cancellationToken), cancellationToken);
            if (admin is not null && LocalPasswords.Matches(Read(_file), admin.Hash))
            {
                _notice = () => Log.StillThere(_logger, Name, _file); // a start that was refused has told nobody
                return;
            }

            File.Delete(_file);
            _notice = () => Log.Removed(_logger, _file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            // It says nothing that counts.
        }
    }

    private static async Task<bool> IsNeededAsync(DatabaseSession session)
        => await session.ScalarAsync(
            "SELECT 1 FROM access_changes WHERE first_admin = 0") is not null;

    private static async Task<bool> AddAsync(DatabaseSession session, string hash)
    {
        await AccessChanges.AnnounceAsync(session);
        if (!await IsNeededAsync(session))
            return false;
        await LocalUsers.AddAsync(session, Admin, hash, enabled: true);
        // The rule of an earlier one, whose user was removed, is as good.
        await session.ExecuteAsync(
            """
            INSERT INTO access_rules
                (id, subject, registry, repositories, actions, denies, version, created_at, updated_at)
            SELECT @id, @subject, NULL, @repositories, @actions, 0, registry_now(), registry_now(), registry_now()
            WHERE NOT EXISTS (
                SELECT 1 FROM access_rules
                WHERE subject = @subject AND registry IS NULL AND repositories = @repositories AND actions = @actions
                    AND denies = 0)
            """,
            ("@id", Guid.CreateVersion7().ToString("N")),
            ("@subject", AccessSubject.User(Admin.Value).Text),
            ("@repositories", JsonSerializer.Serialize<string[]>([RepositoryGlob.All])),
            ("@actions", JsonSerializer.Serialize(
                Enum.GetNames<RegistryAction>().Select(action => action.ToLowerInvariant()))));
        return true;
    }

    private static string ReadGiven(string path)
    {
        string password;
        try
        {
            password = Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new StartRefusedException(
                $"{PasswordFileKey} is '{path}', which cannot be read ({e.Message.TrimEnd('.')}): "
                + "name a file that the server's user may read, with nothing in it but the first password of "
                + $"'{Admin}'.",
                e);
        }

        return PasswordPolicy.Problem(Admin, password) is { } problem
            ? throw new StartRefusedException(
                $"{PasswordFileKey} is '{path}', whose content is no password ({problem}): write another one into it.")
            : password;
    }

    private string ReadOrWriteOwn()
    {
        try
        {
            // Of a start that broke off.
            if (File.Exists(_file) && Read(_file) is var kept && PasswordPolicy.Problem(Admin, kept) is null)
                return kept;
            var password = InitialPassword.Create();
            InitialPassword.Write(_file, password);
            return password;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new StartRefusedException(
                $"There is no user yet, and the first password of '{Admin}' cannot be written to '{_file}' "
                + $"({e.Message.TrimEnd('.')}): choose another folder with --data or Registry:Data, or name a file "
                + $"that has the password with {PasswordFileKey}.",
                e);
        }
    }

    // An editor ends the line, and that is no part of the password.
    private static string Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var content = new byte[MaxFileBytes];
        var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content, 0, length);
        return text.TrimStart('\uFEFF').TrimEnd('\r', '\n');
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "There was no user yet: {User} was added, who may do everything. Its password is in {File}")]
        public static partial void Made(ILogger logger, string user, string file);

        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "There was no user yet: {User} was added, who may do everything, with the password of {Key}.")]
        public static partial void MadeOfGiven(ILogger logger, string user, string key);

        [LoggerMessage(
            Level = LogLevel.Information, Message = "The first password of {User} still counts; it is in {File}")]
        public static partial void StillThere(ILogger logger, string user, string file);

        [LoggerMessage(
            Level = LogLevel.Information, Message = "{File} was removed: the password in it does not count any more.")]
        public static partial void Removed(ILogger logger, string file);
    }
}
