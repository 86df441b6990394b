using System.CommandLine;
using System.Text;
using Registry.Infrastructure;

namespace Registry.Web.Commands;

/// <summary>
/// Where a command takes a password from: a file, what is piped into it, or somebody at the terminal. Never an
/// argument, which every user of the machine can see.
/// </summary>
internal static class PasswordInput
{
    private const int MaxChars = 4096;

    public static Option<string?> NewFileOption() => new("--password-file")
    {
        Description = "A file with the password; without it, it is read from standard input or asked for.",
    };

    /// <exception cref="StartRefusedException">There is none to be had.</exception>
    public static async Task<string> ReadAsync(string? file, string user, CancellationToken cancellationToken)
    {
        if (file is not null)
            return await ReadFileAsync(file, cancellationToken);
        var password = Console.IsInputRedirected
            ? await ReadLineAsync(Console.In, cancellationToken)
            : AskTwice(user);
        return password.Length > 0
            ? password
            : throw new StartRefusedException(
                "There is no password on standard input: pipe it in, or use --password-file.");
    }

    private static async Task<string> ReadFileAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return await ReadLineAsync(reader, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new StartRefusedException(
                $"--password-file is '{file}', which cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    // A password is one line: what ends it belongs to the editor, or to the pipe.
    private static async Task<string> ReadLineAsync(TextReader reader, CancellationToken cancellationToken)
    {
        var buffer = new char[MaxChars];
        var length = await reader.ReadBlockAsync(buffer, cancellationToken);
        return new string(buffer, 0, length).Split('\n', 2)[0].TrimEnd('\r');
    }

    private static string AskTwice(string user)
    {
        var password = Ask($"Password of '{user}': ");
        return password == Ask("The same again: ")
            ? password
            : throw new StartRefusedException("The two passwords are not the same.");
    }

    private static string Ask(string prompt)
    {
        Console.Error.Write(prompt); // the answer of the command alone goes to its output
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key is ConsoleKey.Backspace)
                typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar) && typed.Length < MaxChars)
                typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
