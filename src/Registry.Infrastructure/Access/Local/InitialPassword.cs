using System.Security.Cryptography;
using System.Text;
using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.Access.Local;

/// <summary>The password that is made up at the first start.</summary>
internal static class InitialPassword
{
    // 32 characters, none of which looks like another one.
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
    private const int Groups = 6;
    private const int GroupLength = 5;

    /// <summary>150 random bits, in groups that a person can read out.</summary>
    public static string Create()
        => string.Join(
            '-', Enumerable.Range(0, Groups).Select(_ => RandomNumberGenerator.GetString(Alphabet, GroupLength)));

    /// <summary>
    /// Puts the password into a file that only the server's user can read. The file is there as a whole or not at all,
    /// and when this returns it survives a power cut.
    /// </summary>
    public static void Write(string path, string password)
    {
        var folder = Path.GetDirectoryName(path)!;
        DurableFiles.CreateFolder(folder);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(Encoding.ASCII.GetBytes(password + '\n'));
                file.Flush(flushToDisk: true);
            }

            if (!NativeFiles.TryRename(temporary, path))
                throw new IOException($"'{path}' is on another device than its folder.");
            NativeFiles.FlushDirectory(folder);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
