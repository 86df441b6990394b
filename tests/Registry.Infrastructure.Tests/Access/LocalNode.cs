using Microsoft.Extensions.Logging.Abstractions;
using Registry.Domain.Access;
using Registry.Infrastructure.Access.Local;
using Registry.Infrastructure.Access.Passwords;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

/// <summary>What one node has of local users, on a database that others may share.</summary>
internal sealed class LocalNode : IDisposable
{
    private readonly PasswordChecks _checks;

    public LocalNode(RegistryDatabase database, TimeProvider time)
    {
        Database = new(database);
        _checks = new(time);
        Changes = new(Database, time, NullLogger<AccessChanges>.Instance);
        var changes = new LocalChanges(Database, Changes);
        Users = new(Database, changes);
        Groups = new(Database, changes);
        Provider = new(Database, _checks, Changes);
    }

    public CountingDatabase Database { get; }

    public AccessChanges Changes { get; }

    public LocalUsers Users { get; }

    public LocalGroups Groups { get; }

    public LocalProvider Provider { get; }

    public static bool Nobody(Principal principal) => false;

    public static bool AdminsGroup(Principal principal) => principal.Subjects.Contains(AccessSubject.Group("admins"));

    public async Task<LocalNode> KnowAsync()
    {
        await Changes.RefreshAsync(CancellationToken.None);
        return this;
    }

    /// <summary>Who signs in so; null when nobody.</summary>
    public async Task<Principal?> SignInAsync(string user, string password)
        => (await Provider.VerifyAsync(user, password, CancellationToken.None)).TryGet(out var principal, out _)
            ? principal
            : null;

    public async Task AddAsync(string user, string password, params string[] groups)
    {
        var name = AccountName.Parse(user);
        Assert.True((await Users.AddAsync(name, password, enabled: true, CancellationToken.None)).TryGet(out _, out _));
        foreach (var group in groups)
        {
            await Groups.AddAsync(AccountName.Parse(group), "", CancellationToken.None);
            Assert.True((await Groups.JoinAsync(AccountName.Parse(group), name, CancellationToken.None)).TryGet(out _, out _));
        }
    }

    public void Dispose()
    {
        Changes.Dispose();
        _checks.Dispose();
    }
}
