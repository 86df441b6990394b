using System.Runtime.InteropServices;
using SQLitePCL;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Binds to the system's SQLite, which the operating system keeps patched, instead of carrying a copy.
/// </summary>
internal static class SqliteLibrary
{
    private const int MinimumVersion = 3_035_000; // RETURNING

    private static readonly Lock Once = new();
    private static bool s_loaded;

    /// <exception cref="StartRefusedException">There is no SQLite, or an old one.</exception>
    public static void Load()
    {
        lock (Once)
        {
            if (s_loaded)
                return;
            try
            {
                NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            }
            catch (InvalidOperationException)
            {
                // The host application has bound the library already, for itself and so for us.
            }

            try
            {
                raw.SetProvider(new SQLite3Provider_e_sqlite3());
                if (raw.sqlite3_libversion_number() < MinimumVersion)
                {
                    throw new StartRefusedException(
                        $"SQLite {raw.sqlite3_libversion().utf8_to_string()} is too old, 3.35 or newer is needed: "
                        + "update the system's libsqlite3.");
                }
            }
            catch (DllNotFoundException e)
            {
                throw new StartRefusedException(
                    "The system's SQLite library is missing: install it "
                    + "(Debian, Ubuntu: libsqlite3-0; Fedora: sqlite-libs; Alpine: sqlite-libs).",
                    e);
            }

            // A connection is used by one thread at a time: its own lock, and the one around the count of all memory,
            // would be taken for every row. Refused when a host has begun to use the library: then it stays as it is.
            _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
            _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
            s_loaded = true;
        }
    }

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path)
    {
        if (name != "e_sqlite3")
            return 0;
        string[] candidates = OperatingSystem.IsWindows() ? ["winsqlite3.dll"]
            : OperatingSystem.IsMacOS() ? ["libsqlite3.dylib"]
            : ["libsqlite3.so.0", "libsqlite3.so"];
        foreach (var candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out var handle))
                return handle;
        }

        return 0;
    }
}
