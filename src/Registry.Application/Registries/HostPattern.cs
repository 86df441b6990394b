using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Registry.Application.Registries;

/// <summary>
/// One of the <c>Hosts</c> of a registry: a host name, <c>*.</c> and a suffix, or <c>*</c> for every name; behind it,
/// and always behind <c>*</c>, perhaps a port.
/// </summary>
public sealed record HostPattern
{
    private readonly string _text; // the name, or what it ends with, in lower case
    private readonly bool _isExact;
    private readonly int? _port;

    private HostPattern(string text, bool isExact, int? port) => (_text, _isExact, _port) = (text, isExact, port);

    /// <summary>Whether it says anything about the name, and not about the port alone.</summary>
    public bool HasName => _text.Length > 0;

    /// <exception cref="FormatException"><paramref name="text"/> is none.</exception>
    public static HostPattern Parse(string text)
        => TryParse(text, out var pattern) ? pattern : throw new FormatException($"'{text}' is no host.");

    public static bool TryParse(string? text, [NotNullWhen(true)] out HostPattern? pattern)
    {
        pattern = null;
        if (text is null || !TrySplit(text, out var name, out var port))
            return false;
        var isSuffix = name.StartsWith("*.", StringComparison.Ordinal);
        if (name == "*" ? port is null : !(isSuffix ? IsSuffix(name) : IsName(name)))
            return false;
        pattern = new(name.TrimStart('*').TrimEnd('.').ToLowerInvariant(), isExact: !name.StartsWith('*'), port);
        return true;
    }

    /// <summary>
    /// Puts patterns into the order in which they are tried: names before suffixes, long ones before short ones, those
    /// without either last; of the same name, the one with a port first.
    /// </summary>
    public static IOrderedEnumerable<T> InOrder<T>(IEnumerable<T> items, Func<T, HostPattern> patternOf)
        => items.OrderByDescending(item => patternOf(item)._isExact)
            .ThenByDescending(item => patternOf(item)._text.Length)
            .ThenByDescending(item => patternOf(item)._port.HasValue);

    public bool Fits(RequestedHost host)
    {
        if (host.Name.Length == 0 || (_port is { } port && port != host.Port))
            return false;
        var name = host.Name.AsSpan().TrimEnd('.'); // a name may be written with the root's dot
        return _isExact
            ? name.Equals(_text, StringComparison.OrdinalIgnoreCase)
            : name.Length > _text.Length && name.EndsWith(_text, StringComparison.OrdinalIgnoreCase);
    }

    public override string ToString()
        => (_isExact ? _text : $"*{_text}")
            + (_port is { } port ? string.Create(CultureInfo.InvariantCulture, $":{port}") : "");

    // The colons of an IPv6 address are within brackets.
    private static bool TrySplit(string text, out string name, out int? port)
    {
        (name, port) = (text, null);
        var colon = text.LastIndexOf(':');
        if (colon <= text.LastIndexOf(']'))
            return true;
        name = text[..colon];
        if (!ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number == 0)
            return false;
        port = number;
        return true;
    }

    private static bool IsSuffix(string text) => Uri.CheckHostName(text[2..]) is UriHostNameType.Dns;

    private static bool IsName(string text)
        => Uri.CheckHostName(text) switch
        {
            UriHostNameType.Unknown => false,
            UriHostNameType.IPv6 => text.StartsWith('['), // as clients write it
            _ => true,
        };
}
