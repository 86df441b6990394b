using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Registry.Testing.Processes;

/// <summary>
/// An OpenLDAP server of its own, from the machine's package, on a temporary folder and a free loopback port, with a few
/// people and groups in it. It goes with its owner, and when the test process ends without a word, with that.
/// </summary>
/// <remarks>
/// alice (password <c>wonder land:1</c>) and bob (<c>builder</c>) are in <c>dev</c>, which is in <c>all</c>; <c>all</c> and
/// <c>ring</c> are in each other. carol (<c>singer</c>) is in no group. mallory (<c>guess</c>) is locked out after two
/// wrong passwords. <c>twin</c> are two people.
/// </remarks>
public sealed class OpenLdapProcess : IAsyncDisposable
{
    public const string BaseDn = "dc=example,dc=org";
    public const string People = $"ou=people,{BaseDn}";
    public const string Groups = $"ou=groups,{BaseDn}";
    public const string ReaderDn = $"cn=reader,{BaseDn}";
    public const string ReaderPassword = "reader's secret";
    public const string AdminDn = $"cn=admin,{BaseDn}";
    public const string AdminPassword = "admin's secret";

    /// <summary>Without these there is none.</summary>
    public static readonly string[] Needs = ["slapd", "slapadd", "ldapmodify"];

    private const string Entries =
        $"""
        dn: {BaseDn}
        objectClass: dcObject
        objectClass: organization
        dc: example
        o: Example

        dn: ou=people,{BaseDn}
        objectClass: organizationalUnit
        ou: people

        dn: ou=groups,{BaseDn}
        objectClass: organizationalUnit
        ou: groups

        dn: {ReaderDn}
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: reader
        userPassword: {ReaderPassword}

        dn: cn=strict,{BaseDn}
        objectClass: organizationalRole
        objectClass: pwdPolicy
        cn: strict
        pwdAttribute: userPassword
        pwdLockout: TRUE
        pwdMaxFailure: 2

        dn: uid=alice,{People}
        objectClass: inetOrgPerson
        uid: alice
        cn: Alice
        sn: A
        mail: alice@example.org
        userPassword: wonder land:1

        dn: cn=Bob\, the builder (of things),{People}
        objectClass: inetOrgPerson
        uid: bob
        cn: Bob, the builder (of things)
        sn: B
        userPassword: builder

        dn: uid=carol,{People}
        objectClass: inetOrgPerson
        uid: carol
        cn: Carol
        sn: C
        userPassword: singer

        dn: uid=mallory,{People}
        objectClass: inetOrgPerson
        uid: mallory
        cn: Mallory
        sn: M
        pwdPolicySubentry: cn=strict,{BaseDn}
        userPassword: guess

        dn: cn=Twin One,{People}
        objectClass: inetOrgPerson
        uid: twin
        cn: Twin One
        sn: T
        userPassword: one

        dn: cn=Twin Two,{People}
        objectClass: inetOrgPerson
        uid: twin
        cn: Twin Two
        sn: T
        userPassword: two

        dn: cn=dev,{Groups}
        objectClass: groupOfNames
        cn: dev
        member: uid=alice,{People}
        member: cn=Bob\, the builder (of things),{People}

        dn: cn=all,{Groups}
        objectClass: groupOfNames
        cn: all
        member: cn=dev,{Groups}
        member: cn=ring,{Groups}

        dn: cn=ring,{Groups}
        objectClass: groupOfNames
        cn: ring
        member: cn=all,{Groups}

        """;

    // The loop ends the server of a test run that is over, or was killed, and nothing is left.
    private const string Launch =
        """
        slapd -f "$FOLDER/slapd.conf" -h "$URLS" -d 0 &
        server=$!
        trap 'kill -TERM $server; wait $server; exit' TERM INT
        while kill -0 $server 2>/dev/null && kill -0 "$OWNER" 2>/dev/null; do sleep 0.5; done
        kill -TERM $server 2>/dev/null; wait $server
        kill -0 "$OWNER" 2>/dev/null || rm -rf "$FOLDER"
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WorkFolder _folder = new("openldap");
    private readonly IPAddress _address = LoopbackPort.OwnAddress();
    private readonly int _port;
    private readonly int _securePort;
    private readonly bool _secure;
    private ChildProcess? _process;

    private OpenLdapProcess(bool secure)
    {
        _secure = secure;
        _port = LoopbackPort.Free(_address);
        _securePort = LoopbackPort.Free(_address);
    }

    /// <summary>Why tests that need it are skipped; null when it can be started.</summary>
    public static string? ReasonToSkip => Programs.ReasonToSkip(Needs);

    public string Url => $"ldap://{_address}:{_port}";

    public string SecureUrl => $"ldaps://{_address}:{_securePort}";

    /// <param name="authority">
    /// Where there is one, the server has a certificate of it, and takes passwords over encrypted connections alone.
    /// </param>
    /// <param name="name">The one name in the certificate; left out, it is the server's address.</param>
    public static async Task<OpenLdapProcess> StartAsync(CertificateAuthority? authority = null, string? name = null)
    {
        var server = new OpenLdapProcess(authority is not null);
        try
        {
            await server.PrepareAsync(authority, name);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// How the registry is told of it, keys below <c>Registry:Access:Ldap:N:</c>: nested groups, and little remembered.
    /// </summary>
    public Dictionary<string, string> Settings() => new(StringComparer.Ordinal)
    {
        ["Urls:0"] = Url,
        ["BindDn"] = ReaderDn,
        ["BindPassword"] = ReaderPassword,
        ["BaseDn"] = People,
        ["GroupBaseDn"] = Groups,
        ["NestedGroups"] = "true",
        ["Timeout"] = "00:00:02",
    };

    /// <summary>Starts it again on the same folder and port, after <see cref="StopAsync"/> or <see cref="KillAsync"/>.</summary>
    public async Task StartAsync()
    {
        _process = ChildProcess.Start(
            "bash",
            ["-c", Launch],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["FOLDER"] = _folder.Path,
                ["URLS"] = _secure ? $"{Url}/ {SecureUrl}/" : $"{Url}/",
                ["OWNER"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            });
        using var deadline = new CancellationTokenSource(Patience);
        while (!await IsListeningAsync(deadline.Token))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"OpenLDAP did not start.\n{_process.Error}\n{_process.Output}");
            await Task.Delay(10, deadline.Token);
        }
    }

    public async Task StopAsync()
    {
        if (_process is null)
            return;
        await _process.StopAsync(Patience);
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>kill -9 of the server.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        using (var server = Process.GetProcessById(ServerId()))
        {
            server.Kill();
            await server.WaitForExitAsync();
        }

        await _process.WaitAsync(Patience);
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>Stops it in the middle of what it does, or lets it go on: who is connected hears nothing meanwhile.</summary>
    public async Task FreezeAsync(bool frozen)
    {
        await using var kill = ChildProcess.Start(
            "kill", [frozen ? "-STOP" : "-CONT", ServerId().ToString(CultureInfo.InvariantCulture)]);
        (await kill.WaitAsync(Patience)).OutputOrThrow();
    }

    /// <summary>Changes entries, as an administrator does.</summary>
    /// <param name="changes">In LDIF (RFC 2849).</param>
    public async Task ModifyAsync(string changes)
    {
        var file = _folder.File($"{Guid.NewGuid():N}.ldif");
        await File.WriteAllTextAsync(file, changes);
        await using var modify = ChildProcess.Start(
            "ldapmodify", ["-x", "-H", Url, "-D", AdminDn, "-w", AdminPassword, "-f", file], folder: _folder.Path);
        (await modify.WaitAsync(Patience)).OutputOrThrow();
    }

    public Task RemoveFromGroupAsync(string group, string dn)
        => ModifyAsync($"dn: cn={group},{Groups}\nchangetype: modify\ndelete: member\nmember: {dn}\n");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private int ServerId()
        => int.Parse(File.ReadAllText(_folder.File("slapd.pid")).Trim(), CultureInfo.InvariantCulture);

    private async Task PrepareAsync(CertificateAuthority? authority, string? name)
    {
        var folder = _folder.Path;
        _folder.Folder("data");
        var encryption = "";
        if (authority is not null)
        {
            var (certificate, key) = name is null
                ? authority.Issue([], [_address])
                : authority.Issue([name], []);
            await File.WriteAllTextAsync(_folder.File("server.pem"), certificate);
            await File.WriteAllTextAsync(_folder.File("server.key"), key);
            await File.WriteAllTextAsync(_folder.File("ca.pem"), authority.Pem);
            encryption =
                $"""
                TLSCACertificateFile {folder}/ca.pem
                TLSCertificateFile {folder}/server.pem
                TLSCertificateKeyFile {folder}/server.key
                security simple_bind=64
                """;
        }

        await File.WriteAllTextAsync(
            _folder.File("slapd.conf"),
            $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            moduleload ppolicy
            pidfile {folder}/slapd.pid
            {encryption}

            database mdb
            maxsize 16777216
            suffix "{BaseDn}"
            rootdn "{AdminDn}"
            rootpw "{AdminPassword}"
            directory {folder}/data
            dbnosync
            index objectClass,uid,member eq
            overlay ppolicy
            access to attrs=userPassword by anonymous auth by * none
            access to * by dn.exact="{ReaderDn}" read by * none

            """);
        var entries = _folder.File("entries.ldif");
        await File.WriteAllTextAsync(entries, Entries);
        await using var add = ChildProcess.Start(
            "slapadd", ["-q", "-f", _folder.File("slapd.conf"), "-l", entries], folder: folder);
        (await add.WaitAsync(Patience)).OutputOrThrow();
    }

    private async Task<bool> IsListeningAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(_address, _port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
