using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Xunit.Sdk;

namespace Registry.Testing.Processes;

/// <summary>
/// What must be in no log: gathered where a test sets, sends or gets it, and looked for where its server ends (S-23).
/// </summary>
public sealed partial class Secrets
{
    // Shorter ones, and plain words, are in logs for other reasons; in an Authorization header they are found all the same.
    private const int MinLength = 8;

    private const int MaxBodyBytes = 64 * 1024;

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <param name="kind">What it is, for people: the message does not repeat the secret.</param>
    public void Add(string kind, string? secret)
    {
        if (secret is { Length: >= MinLength } && !secret.All(char.IsLetter))
            _known.TryAdd(secret, kind);
    }

    /// <param name="key">With <c>:</c> or <c>__</c> between its parts.</param>
    public void AddSetting(string key, string? value)
    {
        var name = key.Replace("__", ":", StringComparison.Ordinal);
        name = name[(name.LastIndexOf(':') + 1)..];
        if (name is "Password" or "SecretKey")
            Add(key, value);
        else if (name is "ConnectionString")
            Add(key, ConnectionPassword().Match(value ?? "").Groups["password"].Value);
    }

    /// <summary>The value of an <c>Authorization</c> header.</summary>
    public void AddAuthorization(string header)
    {
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        var credentials = header[(space + 1)..].Trim();
        Add("Authorization", credentials);
        var decoded = new byte[credentials.Length];
        if (header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)
            && Convert.TryFromBase64String(credentials, decoded, out var length))
        {
            var pair = Encoding.UTF8.GetString(decoded, 0, length);
            Add("password", pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        }
    }

    /// <summary>Whatever a form or JSON calls a password, a token or a secret.</summary>
    public void AddBody(byte[]? body)
    {
        if (body is null or { Length: 0 or > MaxBodyBytes })
            return;
        var text = Encoding.UTF8.GetString(body);
        foreach (Match match in InJson().Matches(text))
            Add(match.Groups["name"].Value, match.Groups["value"].Value);
        foreach (Match match in InForm().Matches(text))
            Add(match.Groups["name"].Value, Uri.UnescapeDataString(match.Groups["value"].Value));
    }

    /// <summary>Fails the test whose server has written one of them.</summary>
    /// <param name="log">All that the server wrote.</param>
    public void ExpectNoneIn(string log)
    {
        foreach (var (secret, kind) in _known)
        {
            var at = log.IndexOf(secret, StringComparison.Ordinal);
            if (at < 0)
                continue;
            var line = log[(log.LastIndexOf('\n', at) + 1)..at];
            throw new XunitException($"A secret ({kind}) is in the server's log, behind: {line}");
        }
    }

    [GeneratedRegex("(?:^|;)\\s*Password\\s*=\\s*\"?(?<password>[^;\"]+)", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ConnectionPassword();

    [GeneratedRegex("\"(?<name>(?:[a-zA-Z_]+_)?(?:token|password|secret))\"\\s*:\\s*\"(?<value>[^\"\\\\]+)\"", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InJson();

    [GeneratedRegex("(?:^|&)(?<name>password|refresh_token|access_token)=(?<value>[^&\\s]+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InForm();
}
