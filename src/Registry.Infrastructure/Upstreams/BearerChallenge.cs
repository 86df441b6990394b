using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Registry.Infrastructure.Upstreams;

/// <summary>Where and for what a bearer token is to be got (Docker Registry v2 authentication).</summary>
/// <param name="Scope">Several are separated by blanks.</param>
internal sealed record BearerChallenge(Uri Realm, string? Service, string? Scope)
{
    private const int MaxLength = 8 * 1024;

    /// <summary>The first challenge of that kind in the values of <c>WWW-Authenticate</c> headers.</summary>
    public static bool TryFind(IEnumerable<string> headers, [NotNullWhen(true)] out BearerChallenge? challenge)
    {
        challenge = null;
        foreach (var (scheme, parameters) in headers.SelectMany(Read))
        {
            if (!scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)
                || !parameters.TryGetValue("realm", out var text)
                || !Uri.TryCreate(text, UriKind.Absolute, out var realm)
                || (realm.Scheme != Uri.UriSchemeHttp && realm.Scheme != Uri.UriSchemeHttps)
                || realm.UserInfo.Length > 0)
                continue;
            challenge = new(realm, parameters.GetValueOrDefault("service"), parameters.GetValueOrDefault("scope"));
            return true;
        }

        return false;
    }

    /// <summary>Whether a user's name and password are asked for (RFC 7617).</summary>
    public static bool OffersBasic(IEnumerable<string> headers)
        => headers.SelectMany(Read).Any(
            challenge => challenge.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase));

    /// <summary>The address to get the token from.</summary>
    public Uri Place()
    {
        var query = new StringBuilder(Realm.Query.TrimStart('?'));
        if (!string.IsNullOrEmpty(Service))
            Add("service", Service);
        foreach (var scope in (Scope ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Add("scope", scope);
        return new UriBuilder(Realm) { Query = query.ToString(), Fragment = "" }.Uri;

        void Add(string name, string value)
            => query.Append(query.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
    }

    // RFC 9110, section 11.6.1. Commas separate challenges as well as their parameters: a word that no '=' follows
    // begins a challenge. What does not fit the grammar ends the reading.
    private static IEnumerable<(string Scheme, Dictionary<string, string> Parameters)> Read(string header)
    {
        var text = new Scanner(header.Length <= MaxLength ? header : "");
        (string Scheme, Dictionary<string, string> Parameters)? current = null;
        while (true)
        {
            text.SkipSeparators();
            var word = text.Token();
            if (word.Length == 0)
                break;
            if (text.TryValue(out var value))
            {
                if (current is not { } challenge)
                    break;
                challenge.Parameters.TryAdd(word, value); // the first of a name counts
                continue;
            }

            if (!text.AtBoundary)
                break;
            if (current is { } complete)
                yield return complete;
            current = (word, new(StringComparer.OrdinalIgnoreCase));
        }

        if (current is { } last)
            yield return last;
    }

    private sealed class Scanner(string text)
    {
        private int _at;

        public bool AtBoundary => _at == text.Length || text[_at] is ' ' or '\t' or ',';

        public void SkipSeparators()
        {
            while (_at < text.Length && text[_at] is ' ' or '\t' or ',')
                _at++;
        }

        public string Token()
        {
            var start = _at;
            while (_at < text.Length
                && (char.IsAsciiLetterOrDigit(text[_at])
                    || "!#$%&'*+-.^_`|~".Contains(text[_at], StringComparison.Ordinal)))
                _at++;
            return text[start.._at];
        }

        /// <summary>The value behind an equals sign; stays where it is when there is none.</summary>
        public bool TryValue([NotNullWhen(true)] out string? value)
        {
            var start = _at;
            SkipBlanks();
            if (_at < text.Length && text[_at] == '=')
            {
                _at++;
                SkipBlanks();
                value = _at < text.Length && text[_at] == '"' ? Quoted() : Token();
                if (value is { Length: > 0 } || (value is not null && _at > 0 && text[_at - 1] == '"'))
                    return true;
            }

            (_at, value) = (start, null);
            return false;
        }

        private void SkipBlanks()
        {
            while (_at < text.Length && text[_at] is ' ' or '\t')
                _at++;
        }

        // Null when the closing quote is missing.
        private string? Quoted()
        {
            var value = new StringBuilder();
            for (_at++; _at < text.Length; _at++)
            {
                if (text[_at] == '"')
                {
                    _at++;
                    return value.ToString();
                }

                if (text[_at] == '\\' && _at + 1 < text.Length)
                    _at++;
                value.Append(text[_at]);
            }

            return null;
        }
    }
}
