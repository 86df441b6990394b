using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Ldap;
using Registry.Infrastructure.Tests.Database;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.Access;

/// <summary>The provider against a real directory.</summary>
public sealed class OpenLdapProviderTests(OpenLdapProviderTests.Directory directory)
    : IClassFixture<OpenLdapProviderTests.Directory>, IDisposable
{
    private const string AliceDn = $"uid=alice,{OpenLdapProcess.People}";

    private readonly ManualTime _time = new();
    private readonly List<LdapProvider> _providers = [];
    private readonly Notes _notes = new();

    private OpenLdapProcess Server => directory.Server!;

    public void Dispose() => _providers.ForEach(provider => provider.Dispose());

    [Theory]
    [InlineData("alice", "wonder land:1", "alice")]
    [InlineData("ALICE", "wonder land:1", "alice")]
    [InlineData(" Alice ", "wonder land:1", "alice")]
    [InlineData("bob", "builder", "bob")]
    public async Task Who_has_the_password_is_that_user_as_the_directory_writes_it(string typed, string password, string name)
    {
        var provider = Provider();
        Assert.Null(provider.Recall(typed, password));

        var principal = await KnownAsync(provider, typed, password);

        Assert.Equal($"user:{name}", principal.Name);
        Assert.Equal(["user:" + name, "group:all", "group:dev", "group:ring"], principal.Subjects.Select(subject => subject.Text));
        Assert.Equal(ProviderNames.Ldap, principal.Account!.Provider);
        Assert.Equal(principal, provider.Recall(typed, password));
        Assert.Equal(principal.Subjects, (await FoundAsync(provider, principal))!.Subjects);
    }

    [Theory]
    [InlineData("alice", "wrong")]
    [InlineData("alice", "")] // an unauthenticated bind would succeed (RFC 4513, 5.1.2)
    [InlineData("alice", "\0")]
    [InlineData("alice", "wonder land:1\0")] // libldap would take the NUL for the end
    [InlineData("alice", "\0wonder land:1")]
    [InlineData("alice", "wonder land:1 ")]
    [InlineData("twin", "one")] // two people
    [InlineData("twin", "two")]
    public async Task A_wrong_password_is_refused(string user, string password)
    {
        var provider = Provider();
        Assert.False((await provider.VerifyAsync(user, password, CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(OciError.CredentialsWrong(), Assert.Single(errors));
        Assert.Null(provider.Recall(user, password));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("*")]
    [InlineData("ali*")]
    [InlineData("alice)(uid=*")]
    [InlineData("*)(objectClass=*))(|(uid=alice")]
    [InlineData(@"\61lice")]
    [InlineData(AliceDn)]
    [InlineData($"alice,{OpenLdapProcess.People}")]
    [InlineData("{user}")]
    [InlineData("{dn}")]
    [InlineData("alice\0")]
    [InlineData("alice\0)(cn=x")]
    [InlineData("аlice")] // the first letter is Cyrillic
    public async Task Nobody_is_known_by_what_is_no_name(string user)
    {
        var provider = Provider();
        foreach (var password in new[] { "wonder land:1", "builder", "" })
        {
            Assert.True((await provider.VerifyAsync(user, password, CancellationToken.None)).TryGet(out var principal, out _));
            Assert.Null(principal);
            Assert.Null(provider.Recall(user, password));
        }
    }

    [Fact]
    public async Task Only_direct_groups_count_unless_nested_ones_are_wanted()
    {
        var principal = await KnownAsync(Provider(settings => settings.NestedGroups = false), "alice", "wonder land:1");
        Assert.Equal(["user:alice", "group:dev"], principal.Subjects.Select(subject => subject.Text));
        Assert.Equal(
            ["user:carol"], (await KnownAsync(Provider(), "carol", "singer")).Subjects.Select(subject => subject.Text));
    }

    [Fact]
    public async Task What_is_typed_may_be_another_attribute_than_the_name()
    {
        var provider = Provider(settings => settings.UserFilter = "(mail={user})");
        var principal = await KnownAsync(provider, "alice@example.org", "wonder land:1");
        Assert.Equal("user:alice", principal.Name);
        Assert.Equal(principal, await FoundAsync(provider, principal));
        Assert.Null(await VerifyAsync(provider, "alice", "wonder land:1"));
    }

    [Fact]
    public async Task An_entry_without_exactly_one_name_is_not_let_in()
    {
        var provider = Provider(settings => settings.UserNameAttribute = "mail");
        Assert.Equal("user:alice@example.org", (await KnownAsync(provider, "alice", "wonder land:1")).Name);
        Assert.False((await provider.VerifyAsync("bob", "builder", CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(OciError.CredentialsWrong(), errors[0]);
        Assert.Contains(_notes.All, note => note.Contains("has not exactly one mail", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_is_taken_out_of_a_group_or_of_the_directory_loses_it_when_the_memory_ends() // S-10
    {
        var name = await AddUserAsync("secret one");
        var dn = $"uid={name},{OpenLdapProcess.People}";
        await Server.ModifyAsync(
            $"dn: cn=g{name},{OpenLdapProcess.Groups}\nchangetype: add\nobjectClass: groupOfNames\ncn: g{name}\nmember: {dn}\nmember: {AliceDn}\n");
        var provider = Provider();
        var principal = await KnownAsync(provider, name, "secret one");
        Assert.Contains(AccessSubject.Group($"g{name}"), principal.Subjects);

        await Server.RemoveFromGroupAsync($"g{name}", dn);
        Assert.Contains(AccessSubject.Group($"g{name}"), (await FoundAsync(provider, principal))!.Subjects);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Null(provider.Recall(name, "secret one"));
        Assert.Equal([AccessSubject.User(name)], (await FoundAsync(provider, principal))!.Subjects);
        Assert.Equal([AccessSubject.User(name)], (await KnownAsync(provider, name, "secret one")).Subjects);

        await Server.ModifyAsync($"dn: {dn}\nchangetype: delete\n");
        Assert.NotNull(await FoundAsync(provider, principal));
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Null(await FoundAsync(provider, principal));
        Assert.Null(await VerifyAsync(provider, name, "secret one"));
    }

    [Fact]
    public async Task A_changed_password_counts_when_the_memory_ends_and_a_refusal_ends_sooner()
    {
        var name = await AddUserAsync("first one");
        var provider = Provider();
        await KnownAsync(provider, name, "first one");
        Assert.Null(await VerifyAsync(provider, name, "second one"));

        await Server.ModifyAsync(
            $"dn: uid={name},{OpenLdapProcess.People}\nchangetype: modify\nreplace: userPassword\nuserPassword: second one\n");
        Assert.NotNull(provider.Recall(name, "first one"));
        Assert.Null(await VerifyAsync(provider, name, "second one"));
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.NotNull(await VerifyAsync(provider, name, "second one"));
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.Null(provider.Recall(name, "first one"));
        Assert.Null(await VerifyAsync(provider, name, "first one"));
    }

    [Fact]
    public async Task A_locked_account_is_refused_as_a_wrong_password_is_and_its_tokens_end()
    {
        var provider = Provider();
        var principal = await KnownAsync(provider, "mallory", "guess");
        _time.Advance(TimeSpan.FromSeconds(61));
        foreach (var guess in new[] { "a", "b", "c" })
            Assert.Null(await VerifyAsync(provider, "mallory", guess));

        Assert.Null(await FoundAsync(provider, principal));
        Assert.False((await provider.VerifyAsync("mallory", "guess", CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(OciError.CredentialsWrong(), Assert.Single(errors));
    }

    [Fact]
    public async Task Wrong_passwords_that_are_sent_again_at_once_are_asked_about_once()
    {
        // A policy counts two of them: what is remembered does not lock the account.
        var name = await AddUserAsync("right", $"pwdPolicySubentry: cn=strict,{OpenLdapProcess.BaseDn}\n");
        var provider = Provider();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => VerifyAsync(provider, name, "wrong")));
        Assert.All(answers, Assert.Null);
        Assert.Null(await VerifyAsync(provider, name, "wrong"));
        Assert.NotNull(await VerifyAsync(provider, name, "right"));
    }

    [Fact]
    public async Task A_token_of_one_directory_is_nothing_in_another()
    {
        var other = Settings(settings => settings.BaseDn = OpenLdapProcess.BaseDn);
        var provider = Provider([Settings(), other]);
        var account = (await KnownAsync(provider, "alice", "wonder land:1")).Account!;
        Assert.Null(await FindAsync(Provider([other]), account));
        Assert.Null(await FindAsync(Provider([other, Settings()]), account)); // who would sign in there now is another
        Assert.NotNull(await FindAsync(provider, account));
        Assert.Null(await FindAsync(provider, account with { Key = "alice" }));
        Assert.Null(await FindAsync(provider, account with { Key = "alice\nx\ny" }));
    }

    [Fact]
    public async Task An_account_is_the_same_however_its_name_was_typed()
    {
        var provider = Provider();
        var account = (await KnownAsync(provider, "alice", "wonder land:1")).Account;
        Assert.Equal(account, (await KnownAsync(provider, " ALICE", "wonder land:1")).Account);
        Assert.Equal("alice", account!.Name);
    }

    [Fact]
    public async Task Who_gets_the_name_of_somebody_removed_gets_no_tokens_with_it()
    {
        var name = await AddUserAsync("of the first");
        var provider = Provider(settings => settings.CacheFor = TimeSpan.Zero);
        var first = (await KnownAsync(provider, name, "of the first")).Account! with { Mark = null };
        Assert.NotNull(await FindAsync(provider, first));

        await Server.ModifyAsync($"dn: uid={name},{OpenLdapProcess.People}\nchangetype: delete\n");
        await AddUserAsync("of the second", name: name);

        Assert.Null(await FindAsync(provider, first));
        Assert.NotEqual(first, (await KnownAsync(provider, name, "of the second")).Account! with { Mark = null });
    }

    [Fact]
    public async Task A_new_password_ends_what_was_got_with_the_old_one_and_nothing_else()
    {
        var name = await AddUserAsync("old one");
        var provider = Provider(settings => settings.CacheFor = TimeSpan.Zero);
        // As OpenLDAP's policy notes it, to the second.
        await SetPasswordAsync(name, "first one");
        var account = (await KnownAsync(provider, name, "first one")).Account!;
        Assert.NotNull(account.Mark);
        Assert.NotNull(await FindAsync(provider, account));

        await Task.Delay(TimeSpan.FromSeconds(1.1));
        await SetPasswordAsync(name, "second one");

        Assert.Null(await FindAsync(provider, account));
        Assert.NotNull(await FindAsync(provider, account with { Mark = null })); // as an access token knows its owner
        Assert.NotNull(await FindAsync(provider, (await KnownAsync(provider, name, "second one")).Account!));
    }

    [Theory]
    [InlineData("alice", true)]
    [InlineData("Alice", false)]
    [InlineData("nobody", false)]
    [InlineData("ali*", false)]
    [InlineData("*", false)]
    [InlineData("alice)(uid=*", false)]
    public async Task A_user_is_found_by_exactly_its_name(string name, bool found)
    {
        var user = await FindUserAsync(Provider(), name);
        Assert.Equal(found, user is not null);
        if (found)
            Assert.Equal(["user:alice", "group:all", "group:dev", "group:ring"], user!.Now!.Subjects.Select(subject => subject.Text));
    }

    [Fact]
    public async Task Nobody_gets_the_name_of_another_by_typing_something_else()
    {
        // Both have one name by the attribute that the settings choose, and each its own address.
        var (one, two) = ($"n{Guid.NewGuid():N}", $"n{Guid.NewGuid():N}");
        foreach (var uid in new[] { one, two })
        {
            await Server.ModifyAsync(
                $"dn: uid={uid},{OpenLdapProcess.People}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {one}\nsn: x\nmail: {uid}@example.org\nuserPassword: pw of {uid}\n");
        }

        var byMail = Provider(settings => (settings.UserFilter, settings.UserNameAttribute) = ("(mail={user})", "cn"));
        Assert.Null(await VerifyAsync(byMail, $"{two}@example.org", $"pw of {two}"));

        // Of two directories, the first that has the name has it, whatever is typed to be found in the second.
        var first = Settings(settings => settings.UserFilter = $"(&(uid={{user}})(uid={one}))");
        var second = Settings(settings => (settings.UserFilter, settings.UserNameAttribute) = ("(|(uid={user})(mail={user}))", "cn"));
        var both = Provider([first, second]);
        Assert.Equal($"user:{one}", (await KnownAsync(both, one, $"pw of {one}")).Name);
        Assert.Null(await VerifyAsync(both, $"{two}@example.org", $"pw of {two}"));
    }

    [Fact]
    public async Task A_name_that_two_have_or_whose_account_is_locked_belongs_to_somebody_who_is_not_let_in()
    {
        Assert.Equal(new NamedUser(null), await FindUserAsync(Provider(), "twin"));
        var name = await AddUserAsync("right", $"pwdPolicySubentry: cn=strict,{OpenLdapProcess.BaseDn}\n");
        var provider = Provider();
        foreach (var guess in new[] { "a", "b" })
            Assert.Null(await VerifyAsync(provider, name, guess));
        Assert.Equal(new NamedUser(null), await FindUserAsync(provider, name));
    }

    [Fact]
    public async Task The_second_directory_is_asked_for_who_is_not_in_the_first()
    {
        var empty = Settings(settings => settings.BaseDn = OpenLdapProcess.Groups);
        Assert.NotNull(await VerifyAsync(Provider([empty, Settings()]), "alice", "wonder land:1"));
        Assert.Null(await VerifyAsync(Provider([empty, Settings()]), "alice", "wrong"));
    }

    [Fact]
    public async Task A_wrong_password_of_the_searching_account_is_no_users_fault_and_is_not_told()
    {
        var provider = Provider(settings => settings.BindPassword = "a wrong secret");
        Assert.False((await provider.VerifyAsync("alice", "wonder land:1", CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Unavailable, errors[0].Reason);
        var note = Assert.Single(_notes.All);
        Assert.Contains(Server.Url, note, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", note, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_that_are_too_many_are_not_a_part_of_them()
    {
        var name = await AddUserAsync("of many");
        var groups = Enumerable.Range(0, 40).Select(i =>
            $"dn: cn=d{i}{name},{OpenLdapProcess.Groups}\nchangetype: add\nobjectClass: groupOfNames\ncn: d{i}{name}\nmember: "
            + (i == 0 ? $"uid={name},{OpenLdapProcess.People}\n" : $"cn=d{i - 1}{name},{OpenLdapProcess.Groups}\n"));
        await Server.ModifyAsync(string.Join('\n', groups));

        var provider = Provider();
        Assert.False((await provider.VerifyAsync(name, "of many", CancellationToken.None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Unavailable, errors[0].Reason);
        Assert.Contains(_notes.All, note => note.Contains("32 levels", StringComparison.Ordinal));
        Assert.NotNull(await VerifyAsync(Provider(settings => settings.NestedGroups = false), name, "of many"));
    }

    [Fact]
    public async Task Many_at_once_are_all_answered_rightly()
    {
        var provider = Provider(settings => settings.CacheFor = TimeSpan.Zero);
        var answers = await Task.WhenAll(Enumerable.Range(0, 120).Select(i => VerifyAsync(
            provider, i % 2 == 0 ? "alice" : "bob", (i % 4) switch { 0 => "wonder land:1", 1 => "builder", _ => $"wrong {i}" })));
        Assert.Equal(
            Enumerable.Range(0, 120).Select(i => (i % 4) switch { 0 => "user:alice", 1 => "user:bob", _ => null }),
            answers.Select(answer => answer?.Name));
    }

    private async Task<string> AddUserAsync(string password, string more = "", string? name = null)
    {
        name ??= $"u{Guid.NewGuid():N}";
        await Server.ModifyAsync(
            $"dn: uid={name},{OpenLdapProcess.People}\nchangetype: add\nobjectClass: inetOrgPerson\n{more}uid: {name}\ncn: {name}\nsn: {name}\nuserPassword: {password}\n");
        return name;
    }

    private Task SetPasswordAsync(string name, string password)
        => Server.ModifyAsync(
            $"dn: uid={name},{OpenLdapProcess.People}\nchangetype: modify\nreplace: userPassword\nuserPassword: {password}\n");

    private LdapSettings Settings(Action<LdapSettings>? change = null) => OpenLdap.Settings(Server, change);

    private LdapProvider Provider(Action<LdapSettings>? change = null) => Provider([Settings(change)]);

    private LdapProvider Provider(LdapSettings[] settings)
    {
        var provider = new LdapProvider(settings, _time, _notes);
        provider.Open();
        _providers.Add(provider);
        return provider;
    }

    private static async Task<Principal> KnownAsync(LdapProvider provider, string user, string password)
        => (await VerifyAsync(provider, user, password))!;

    private static Task<Principal?> FoundAsync(LdapProvider provider, Principal principal)
        => FindAsync(provider, principal.Account!);

    private static async Task<NamedUser?> FindUserAsync(LdapProvider provider, string name)
        => (await provider.FindUserAsync(name, CancellationToken.None)).Match(
            user => user, errors => throw new InvalidOperationException(errors[0].Message));

    private static async Task<Principal?> FindAsync(LdapProvider provider, AccountReference account)
        => (await provider.FindAsync(account, CancellationToken.None)).Match(
            principal => principal, errors => throw new InvalidOperationException(errors[0].Message));

    private static Task<Principal?> VerifyAsync(LdapProvider provider, string user, string password)
        => OpenLdap.VerifyAsync(provider, user, password);

    private sealed class Notes : ILogger<LdapProvider>
    {
        private readonly List<string> _all = [];

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_all)
                    return [.. _all];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_all)
                _all.Add(formatter(state, exception));
        }
    }

    /// <summary>One server for all tests here: each has users and groups of its own, or changes nothing.</summary>
    public sealed class Directory : IAsyncLifetime
    {
        public OpenLdapProcess? Server { get; private set; }

        public async Task InitializeAsync() => Server = OpenLdapProcess.ReasonToSkip is null ? await OpenLdapProcess.StartAsync() : null;

        public async Task DisposeAsync()
        {
            if (Server is not null)
                await Server.DisposeAsync();
        }
    }
}
