using System.DirectoryServices.Protocols;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// One directory: its servers are asked in their order, those that have failed a short while ago after the others. When
/// none answers, all that is known is that nothing can be found out now.
/// </summary>
internal sealed partial class LdapDirectory(
    LdapSettings settings, string? authorities, TimeProvider time, ILogger logger) : IDisposable
{
    private const int MaxGroups = 1000;
    private const int MaxDepth = 32;
    private const int GroupsAtOnce = 50;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly LdapServer[] _servers
        = [.. settings.Urls.Select(url => new LdapServer(new(url), settings, authorities, time))];

    public LdapSettings Settings => settings;

    /// <summary>
    /// The user who types that; null when there is none. Refused when there are several, for none of them is meant
    /// then.
    /// </summary>
    public Task<Result<LdapUser?>> FindTypedAsync(string typed)
        => FindAsync(typed, LdapFilter.Fill(settings.UserFilter, typed, dn: ""));

    /// <summary>The user who has that name, whatever is typed; otherwise as <see cref="FindTypedAsync"/>.</summary>
    public Task<Result<LdapUser?>> FindNamedAsync(string name)
        => FindAsync(name, LdapFilter.Narrow(settings.UserFilter, settings.UserNameAttribute, name));

    /// <summary>Whether the user is let in with that password.</summary>
    public Task<Result<bool>> CheckPasswordAsync(LdapUser user, string password) => BindAsync(user.Dn, password);

    /// <summary>Does the work of a wrong password, for a user that there is not.</summary>
    public Task<Result<bool>> RefusePasswordAsync(string password)
        => BindAsync($"cn={Guid.NewGuid():N},{settings.BaseDn}", password);

    /// <summary>The names of the groups that the user is in.</summary>
    public async Task<Result<IReadOnlyList<string>>> GroupsAsync(LdapUser user)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { user.Dn };
        IReadOnlyList<string> members = [user.Dn];
        for (var depth = 0; members.Count > 0; depth++)
        {
            var above = new List<string>();
            foreach (var some in members.Chunk(GroupsAtOnce))
            {
                var found = await AskAsync(server => server.SearchAsync(GroupsOf(some, user.Name)));
                if (!found.TryGet(out var entries, out var errors))
                    return Result<IReadOnlyList<string>>.Refused(errors);
                foreach (SearchResultEntry group in entries)
                {
                    if (!seen.Add(group.DistinguishedName))
                        continue; // reached before, or a circle
                    above.Add(group.DistinguishedName);
                    names.UnionWith(
                        LdapUser.Values(group, settings.GroupNameAttribute).Where(AccessSubject.IsName));
                }
            }

            // Of a part of the groups nothing follows: what denies may be in the other part.
            if (seen.Count > MaxGroups || depth == MaxDepth)
            {
                Log.TooManyGroups(logger, user.Dn, MaxGroups, MaxDepth);
                return Unavailable();
            }

            members = settings.NestedGroups ? above : [];
        }

        return Result<IReadOnlyList<string>>.Of([.. names.Order(StringComparer.Ordinal)]);
    }

    public void Dispose()
    {
        foreach (var server in _servers)
            server.Dispose();
    }

    private static OciError Unavailable() => OciError.Unavailable("directory of users (LDAP)");

    private Task<Result<bool>> BindAsync(string dn, string password)
        => AskAsync(server => server.BindAsync(dn, password));

    private async Task<Result<LdapUser?>> FindAsync(string user, string filter)
    {
        var found = await AskAsync(server => SearchUsersAsync(server, filter));
        if (!found.TryGet(out var entries, out var errors))
            return Result<LdapUser?>.Refused(errors);
        if (entries.Count == 0)
            return Result<LdapUser?>.Of(null);
        if (entries.Count > 1)
            Log.Several(logger, OciError.Shorten(user), settings.BaseDn, settings.UserFilter);
        else if (LdapUser.Of(entries[0], settings.UserNameAttribute) is not { } one)
            Log.NotOneName(logger, entries[0].DistinguishedName, settings.UserNameAttribute);
        else if (AccessSubject.IsName(one.Name))
            return one;
        return OciError.CredentialsWrong();
    }

    private async Task<IReadOnlyList<SearchResultEntry>> SearchUsersAsync(LdapServer server, string filter)
    {
        var request = new SearchRequest(
            settings.BaseDn, filter, SearchScope.Subtree, [settings.UserNameAttribute, .. LdapUser.Attributes])
        {
            SizeLimit = 2,
            TimeLimit = settings.Timeout,
        };
        try
        {
            return [.. (await server.SearchAsync(request)).Cast<SearchResultEntry>()];
        }
        catch (DirectoryOperationException e)
            when (e.Response is SearchResponse { ResultCode: ResultCode.SizeLimitExceeded } some)
        {
            return [.. some.Entries.Cast<SearchResultEntry>()];
        }
    }

    private SearchRequest GroupsOf(IReadOnlyList<string> members, string user)
    {
        var filters = members.Select(member => LdapFilter.Fill(settings.GroupFilter, user, member)).ToArray();
        return new(
            string.IsNullOrEmpty(settings.GroupBaseDn) ? settings.BaseDn : settings.GroupBaseDn,
            filters is [var one] ? one : $"(|{string.Concat(filters)})",
            SearchScope.Subtree,
            settings.GroupNameAttribute)
        {
            TimeLimit = settings.Timeout,
        };
    }

    private async Task<Result<T>> AskAsync<T>(Func<LdapServer, Task<T>> question)
    {
        foreach (var server in _servers.OrderBy(server => server.Rests).ToArray()) // stable
        {
            try
            {
                var answer = await question(server);
                server.Return();
                return Result<T>.Of(answer);
            }
            catch (DirectoryException e)
            {
                if (!server.Rests)
                    Log.Failed(logger, server.Url, e.Message);
                server.Rest(Pause);
            }
        }

        return Unavailable();
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning, Message = "The LDAP server {Url} cannot be asked ({Problem}); others are tried.")]
        public static partial void Failed(ILogger logger, Uri url, string problem);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "There are several users '{User}' below {BaseDn}, so none is let in: make {Filter} narrower.")]
        public static partial void Several(ILogger logger, string user, string baseDn, string filter);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Dn} has not exactly one {Attribute} and is not let in: choose another UserNameAttribute.")]
        public static partial void NotOneName(ILogger logger, string dn, string attribute);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Dn} is in more than {MaxGroups} groups, or in groups of more than {MaxDepth} levels, and is "
                + "not let in: make GroupFilter or GroupBaseDn narrower.")]
        public static partial void TooManyGroups(ILogger logger, string dn, int maxGroups, int maxDepth);
    }
}
