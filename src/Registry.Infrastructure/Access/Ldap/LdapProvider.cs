using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// The users of one directory or several: the first that has a user of that name decides. Passwords are the directory's
/// to judge; what it has said is remembered for as long as its settings allow, with the groups that it named then.
/// </summary>
internal sealed class LdapProvider : IUserProvider, IOpenedAtStart, IDisposable
{
    private const int AtOnce = 16;
    private const int MaxWaiting = 200;

    private static readonly TimeSpan LongestRefusal = TimeSpan.FromSeconds(10);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly IReadOnlyList<LdapSettings> _settings;
    private readonly LdapDirectory[] _directories;
    private readonly ShortMemory<Result<Principal?>> _logins;
    private readonly ShortMemory<Principal?> _people;
    private readonly SharedWork<Result<Principal?>> _work = new(AtOnce, MaxWaiting);

    public LdapProvider(IReadOnlyList<LdapSettings> settings, TimeProvider time, ILogger<LdapProvider> logger)
    {
        _settings = settings;
        _directories = [.. settings.Select(one => new LdapDirectory(one, AuthoritiesOf(one), time, logger))];
        (_logins, _people) = (new(time), new(time));
    }

    public string Name => ProviderNames.Ldap;

    private static Result<Principal?> Nobody => Result<Principal?>.Of(null);

    private static Result<Principal?> Busy => OciError.Unavailable("check of passwords");

    /// <exception cref="StartRefusedException">
    /// The system has no libldap, or the certificates that are to be trusted cannot be read.
    /// </exception>
    public void Open()
    {
        if (!LdapLibrary.IsAvailable())
        {
            throw new StartRefusedException(
                "Registry:Access:Ldap needs libldap (OpenLDAP 2.4 or later), which this system does not have: "
                + "install libldap2 (libldap-2.5-0 on Debian 12) or openldap.");
        }

        for (var i = 0; i < _settings.Count; i++)
            CheckAuthorities(FormattableString.Invariant($"Registry:Access:Ldap:{i}:CaFile"), _settings[i]);
    }

    public Principal? Recall(string user, string password)
        => _logins.TryGet(Mark(user, password), out var login) && login.TryGet(out var principal, out _)
            ? principal
            : null;

    public async Task<Result<Principal?>> VerifyAsync(
        string user, string password, CancellationToken cancellationToken)
    {
        var mark = Mark(user, password);
        return _logins.TryGet(mark, out var known)
            ? known
            : await _work.DoAsync(mark, () => VerifyAsync(user, password, mark), Busy, cancellationToken);
    }

    public async ValueTask<Result<Principal?>> FindAsync(string key, CancellationToken cancellationToken)
    {
        if (_people.TryGet(key, out var known))
            return Result<Principal?>.Of(known);
        var (user, baseDn) = key.Split('\n') is [var first, var second] ? (first, second) : ("", "");
        var directories = _directories.Where(directory => directory.Settings.BaseDn == baseDn).ToArray();
        return directories.Length > 0
            ? await _work.DoAsync(key, () => FindAsync(directories, user, key), Busy, cancellationToken)
            : Nobody; // of a directory that is not asked any more
    }

    public void Dispose()
    {
        foreach (var directory in _directories)
            directory.Dispose();
        _work.Dispose();
    }

    private static bool IsEncrypted(LdapSettings settings)
        => settings.StartTls || settings.Urls.Any(url => url.StartsWith("ldaps:", StringComparison.OrdinalIgnoreCase));

    private static string? AuthoritiesOf(LdapSettings settings)
        => !IsEncrypted(settings) ? null
            : string.IsNullOrEmpty(settings.CaFile) ? LdapLibrary.FindSystemAuthorities() ?? ""
            : settings.CaFile;

    private static void CheckAuthorities(string key, LdapSettings settings)
    {
        if (AuthoritiesOf(settings) is not { } file)
            return;
        if (file.Length == 0)
        {
            throw new StartRefusedException(
                $"{key} is not set, and this system has no certificates of authorities (ca-certificates): "
                + "install them, or name a file.");
        }

        try
        {
            if (!File.ReadAllText(file).Contains("-----BEGIN", StringComparison.Ordinal))
            {
                throw new StartRefusedException(
                    $"{key} is '{file}', which has no certificate in PEM: name one that has.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                $"{key} is '{file}', which cannot be read ({e.Message.TrimEnd('.')}): "
                + "name a file of certificates in PEM that the server's user may read.",
                e);
        }
    }

    private async Task<Result<Principal?>> VerifyAsync(string user, string password, string mark)
    {
        foreach (var directory in _directories)
        {
            var found = await directory.FindAsync(user);
            if (found.TryGet(out var entry, out var errors) && entry is null)
                continue;
            var verified = entry is null
                ? Result<Principal?>.Refused(errors)
                : await VerifyAsync(directory, user, entry, password);
            var good = verified.TryGet(out var principal, out errors);
            if (good)
                _people.Put(principal!.Account!.Key, principal, directory.Settings.CacheFor);
            if (good || errors[0].Reason is ErrorReason.Unauthenticated)
                _logins.Put(mark, verified, good ? directory.Settings.CacheFor : RefusalOf(directory));
            return verified;
        }

        // Whether there is such a user must not show in the time it takes.
        var refused = await _directories[0].RefusePasswordAsync(password);
        if (!refused.TryGet(out _, out var problems))
            return Result<Principal?>.Refused(problems);
        _logins.Put(mark, Nobody, RefusalOf(_directories[0]));
        return Nobody;
    }

    private async Task<Result<Principal?>> VerifyAsync(
        LdapDirectory directory, string user, LdapUser entry, string password)
    {
        var check = await directory.CheckPasswordAsync(entry, password);
        if (!check.TryGet(out var right, out var errors))
            return Result<Principal?>.Refused(errors);
        return right ? await OfAsync(directory, user, entry) : OciError.CredentialsWrong();
    }

    private async Task<Result<Principal?>> FindAsync(LdapDirectory[] directories, string user, string key)
    {
        foreach (var directory in directories)
        {
            var found = await directory.FindAsync(user);
            if (found.TryGet(out var entry, out var errors) && entry is null)
                continue;
            if (entry is null && errors[0].Reason is not ErrorReason.Unauthenticated)
                return Result<Principal?>.Refused(errors);
            if (entry is null or { IsLocked: true })
                break;
            var now = await OfAsync(directory, user, entry);
            if (now.TryGet(out var principal, out _))
                _people.Put(key, principal, directory.Settings.CacheFor);
            return now;
        }

        _people.Put(key, null, RefusalOf(directories[0]));
        return Nobody;
    }

    // The groups of today take the place of all that were named before.
    private async Task<Result<Principal?>> OfAsync(LdapDirectory directory, string user, LdapUser entry)
    {
        var found = await directory.GroupsAsync(entry);
        return found.TryGet(out var groups, out var errors)
            ? Principal.User(entry.Name, groups) with { Account = new(Name, $"{user}\n{directory.Settings.BaseDn}") }
            : Result<Principal?>.Refused(errors);
    }

    private static TimeSpan RefusalOf(LdapDirectory directory)
        => directory.Settings.CacheFor < LongestRefusal ? directory.Settings.CacheFor : LongestRefusal;

    // No user's name has a line feed. Passwords are remembered as a MAC under a key that this process alone has.
    private string Mark(string user, string password)
        => Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{user}\n{password}")));
}
