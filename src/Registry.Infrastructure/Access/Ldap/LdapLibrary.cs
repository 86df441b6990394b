using System.DirectoryServices.Protocols;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// What libldap can be told about one connection and System.DirectoryServices.Protocols does not pass on to it on
/// Linux: how long a step may take, whom to trust, and which server an encrypted connection is to.
/// </summary>
internal static unsafe partial class LdapLibrary
{
    private const int Descriptor = 0x0001;
    private const int ResultCode = 0x0031;
    private const int Timeout = 0x5002;
    private const int NetworkTimeout = 0x5005;
    private const int Address = 0x5006;
    private const int CaFile = 0x6002;
    private const int CaDirectory = 0x6003;
    private const int RequireCertificate = 0x6006;
    private const int OldestProtocol = 0x6007;
    private const int NewContext = 0x600F;

    private const int Demand = 2;
    private const int Tls12 = 0x0303;
    private const int Client = 0;
    private const int BothWays = 2; // SHUT_RDWR

    // Where distributions keep the authorities that they trust. What ldap.conf says depends on a package that may not
    // be there, and what the environment says on who starts the server.
    private static readonly string[] SystemAuthorities =
    [
        "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Alpine
        "/etc/pki/tls/certs/ca-bundle.crt", // Fedora, Red Hat
        "/etc/ssl/ca-bundle.pem", // SUSE
    ];

    // As the package itself looks for it.
    private static readonly string[] Names
        = ["libldap.so.2", "libldap-2.6.so.0", "libldap-2.5.so.0", "libldap-2.4.so.2"];

    private static readonly FieldInfo? Handle
        = typeof(LdapConnection).GetField("_ldapHandle", BindingFlags.Instance | BindingFlags.NonPublic);

    private static readonly nint Library = Load();

    /// <summary>Whether the system has the library, and the package lets it be told of connections.</summary>
    public static bool IsAvailable() => Library != 0 && Handle is not null;

    /// <summary>The file of the authorities that the system trusts; null when there is none.</summary>
    public static string? FindSystemAuthorities() => Array.Find(SystemAuthorities, File.Exists);

    /// <summary>Says all that must be said before the connection is opened.</summary>
    /// <param name="timeout">For each of: connecting, agreeing on keys, waiting for an answer.</param>
    /// <param name="authorities">
    /// A file of trusted certificates; nobody else is trusted. Null for a connection in the clear.
    /// </param>
    public static void Prepare(LdapConnection connection, string address, TimeSpan timeout, string? authorities)
    {
        var seconds = new TimeValue((nint)timeout.TotalSeconds, timeout.Microseconds + (timeout.Milliseconds * 1000));
        Set(connection, NetworkTimeout, &seconds);
        Set(connection, Timeout, &seconds);
        // StartTLS opens the connection, and the package tells the address later than that.
        SetText(connection, Address, address);
        if (authorities is null)
            return;
        SetText(connection, CaFile, authorities);
        Set(connection, CaDirectory, null);
        // ldap.conf and the environment may say less, and must not decide it.
        SetNumber(connection, RequireCertificate, Demand);
        SetNumber(connection, OldestProtocol, Tls12);
        SetNumber(connection, NewContext, Client);
    }

    /// <summary>What the server has answered last, as a number (RFC 4511, 4.1.9); below zero when it has not.</summary>
    public static int LastResult(LdapConnection connection)
    {
        var result = 0;
        return Call("ldap_get_option", connection, ResultCode, &result) == 0 ? result : -1;
    }

    /// <summary>Ends the connection below whoever waits for an answer on it.</summary>
    public static void Cut(LdapConnection connection)
    {
        var socket = -1;
        if (Call("ldap_get_option", connection, Descriptor, &socket) == 0 && socket >= 0)
            _ = Shutdown(socket, BothWays);
    }

    [LibraryImport("libc", EntryPoint = "shutdown")]
    private static partial int Shutdown(int socket, int how);

    private static void SetNumber(LdapConnection connection, int option, int value)
        => Set(connection, option, &value);

    private static void SetText(LdapConnection connection, int option, string value)
    {
        var text = Marshal.StringToCoTaskMemUTF8(value);
        try
        {
            Set(connection, option, (void*)text);
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }

    private static void Set(LdapConnection connection, int option, void* value)
    {
        if (Call("ldap_set_option", connection, option, value) != 0)
        {
            // Such as a file of certificates that cannot be read any more.
            throw new LdapException(
                FormattableString.Invariant($"libldap does not take option 0x{option:x} as it is set"));
        }
    }

    private static int Call(string function, LdapConnection connection, int option, void* value)
    {
        var call = (delegate* unmanaged<nint, int, void*, int>)NativeLibrary.GetExport(Library, function);
        var handle = (SafeHandle)Handle!.GetValue(connection)!;
        var held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return call(handle.DangerousGetHandle(), option, value);
        }
        finally
        {
            if (held)
                handle.DangerousRelease();
        }
    }

    private static nint Load()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out var library))
                return library;
        }

        return 0;
    }

    private readonly record struct TimeValue(nint Seconds, nint Microseconds);
}
