using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Application.Asking;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// The users of one directory or several: the first that has a user of that name decides. Passwords are the directory's
/// to judge; what it has said is remembered for as long as its settings allow, with the groups that it named then.
/// </summary>
internal sealed class LdapProvider : IUserProvider, IOpenedAtStart, IDisposable
{
    // Of checks, and of searches as many again.
    private const int AtOnce = 8;
    private const int MaxWaiting = 100;

    private static readonly TimeSpan LongestRefusal = TimeSpan.FromSeconds(10);

    // Who asks while no server answers does not wait for that each time.
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(1);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly IReadOnlyList<LdapSettings> _settings;
    private readonly LdapDirectory[] _directories;
    private readonly ShortMemory<string, Result<Principal?>> _logins;
    private readonly ShortMemory<string, Result<NamedUser?>> _people;
    private readonly BoundedWork<Result<Principal?>> _checks = new(AtOnce, MaxWaiting);
    private readonly BoundedWork<Result<NamedUser?>> _searches = new(AtOnce, MaxWaiting);

    public LdapProvider(IReadOnlyList<LdapSettings> settings, TimeProvider time, ILogger<LdapProvider> logger)
    {
        _settings = settings;
        _directories = [.. settings.Select(one => new LdapDirectory(one, AuthoritiesOf(one), time, logger))];
        (_logins, _people) = (new(time), new(time));
    }

    public string Name => ProviderNames.Ldap;

    private static Result<Principal?> Nobody => Result<Principal?>.Of(null);

    private static OciError Busy => OciError.Unavailable("check of users");

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
            : await _checks.DoAsync(mark, () => VerifyAsync(user, password, mark), Busy, cancellationToken);
    }

    public async ValueTask<Result<Principal?>> FindAsync(
        AccountReference account, CancellationToken cancellationToken)
    {
        var found = await FindUserAsync(account.Name, cancellationToken);
        return found.TryGet(out var user, out var errors)
            ? Result<Principal?>.Of(user?.Now is { } now && account.Includes(now.Account!) ? now : null)
            : Result<Principal?>.Refused(errors);
    }

    public async ValueTask<Result<NamedUser?>> FindUserAsync(string name, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _directories.Length; i++)
        {
            var found = await FindAsync(i, name, cancellationToken);
            if (!found.TryGet(out var user, out _) || user is not null)
                return found;
        }

        return Result<NamedUser?>.Of(null);
    }

    public void Dispose()
    {
        foreach (var directory in _directories)
            directory.Dispose();
        _checks.Dispose();
        _searches.Dispose();
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
        for (var i = 0; i < _directories.Length; i++)
        {
            var directory = _directories[i];
            var found = await directory.FindTypedAsync(user);
            if (found.TryGet(out var entry, out var errors) && entry is null)
                continue;
            var verified = entry is null
                ? Result<Principal?>.Refused(errors)
                : await VerifyAsync(directory, entry, password);
            var good = verified.TryGet(out var principal, out errors);
            if (good && entry!.Name != user)
            {
                verified = await RefuseNamesakeAsync(principal!);
                good = verified.TryGet(out principal, out errors);
            }

            if (good)
            {
                var known = Result<NamedUser?>.Of(new(principal));
                _people.Put(PersonKey(i, entry!.Name), known, directory.Settings.CacheFor);
            }

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

    // Who has typed something else than the name gets the name only if nobody else would sign in with it.
    private async Task<Result<Principal?>> RefuseNamesakeAsync(Principal principal)
    {
        var found = await FindUserAsync(principal.Account!.Name, CancellationToken.None);
        if (!found.TryGet(out var user, out var errors))
            return Result<Principal?>.Refused(errors);
        return user?.Now?.Account?.Key == principal.Account.Key ? principal : OciError.CredentialsWrong();
    }

    private async Task<Result<Principal?>> VerifyAsync(LdapDirectory directory, LdapUser entry, string password)
    {
        var check = await directory.CheckPasswordAsync(entry, password);
        if (!check.TryGet(out var right, out var errors))
            return Result<Principal?>.Refused(errors);
        return right ? await OfAsync(directory, entry) : OciError.CredentialsWrong();
    }

    private async ValueTask<Result<NamedUser?>> FindAsync(
        int directory, string name, CancellationToken cancellationToken)
    {
        var key = PersonKey(directory, name);
        return _people.TryGet(key, out var known)
            ? known
            : await _searches.DoAsync(
                key, () => FindAsync(_directories[directory], name, key), Busy, cancellationToken);
    }

    private async Task<Result<NamedUser?>> FindAsync(LdapDirectory directory, string name, string key)
    {
        var found = await FindAsync(directory, name);
        var lifetime = !found.TryGet(out var user, out _) ? Outage
            : user?.Now is not null ? directory.Settings.CacheFor
            : RefusalOf(directory);
        _people.Put(key, found, lifetime);
        return found;
    }

    private async Task<Result<NamedUser?>> FindAsync(LdapDirectory directory, string name)
    {
        var found = await directory.FindNamedAsync(name);
        if (!found.TryGet(out var entry, out var errors))
        {
            return errors[0].Reason is ErrorReason.Unauthenticated
                ? new NamedUser(null) // of several entries, none is let in
                : Result<NamedUser?>.Refused(errors);
        }

        // By exactly that name: whom the directory finds by another spelling is called otherwise by rules and tokens.
        if (entry is null || entry.Name != name)
            return Result<NamedUser?>.Of(null);
        var now = entry.IsLocked ? Nobody : await OfAsync(directory, entry);
        return now.TryGet(out var principal, out errors)
            ? new NamedUser(principal)
            : Result<NamedUser?>.Refused(errors);
    }

    // The groups of today take the place of all that were named before.
    private async Task<Result<Principal?>> OfAsync(LdapDirectory directory, LdapUser entry)
    {
        var found = await directory.GroupsAsync(entry);
        if (!found.TryGet(out var groups, out var errors))
            return Result<Principal?>.Refused(errors);
        var key = $"{entry.Name}\n{directory.Settings.BaseDn}\n{entry.Id}"; // none of which has a line feed
        return Principal.User(entry.Name, groups) with { Account = new(Name, key, entry.PasswordMark) };
    }

    private static string PersonKey(int directory, string name)
        => string.Create(CultureInfo.InvariantCulture, $"{directory} {name}");

    private static TimeSpan RefusalOf(LdapDirectory directory)
        => directory.Settings.CacheFor < LongestRefusal ? directory.Settings.CacheFor : LongestRefusal;

    // No user's name has a line feed. Passwords are remembered as a MAC under a key that this process alone has.
    private string Mark(string user, string password)
        => Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{user}\n{password}")));
}
