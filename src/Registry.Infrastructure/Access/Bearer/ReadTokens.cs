using System.Collections.Concurrent;

namespace Registry.Infrastructure.Access.Bearer;

/// <summary>
/// Tokens whose signature was found good, so that it is checked once and not at each request. They stay until they have
/// expired, or until there are too many. Long ones, which everybody can ask for, would take too much memory.
/// </summary>
internal sealed class ReadTokens(TimeProvider time)
{
    private const int MaxEntries = 10_000;
    private const int MaxLength = 2048;

    private readonly ConcurrentDictionary<string, ReadToken> _tokens = new(StringComparer.Ordinal);

    public ReadToken? Find(string text) => _tokens.GetValueOrDefault(text);

    public void Add(string text, ReadToken token)
    {
        if (text.Length > MaxLength)
            return;
        if (_tokens.Count >= MaxEntries)
            Forget();
        _tokens[text] = token;
    }

    private void Forget()
    {
        var now = time.GetUtcNow();
        foreach (var (text, token) in _tokens)
        {
            if (token.Expires <= now)
                _tokens.TryRemove(text, out _);
        }

        if (_tokens.Count >= MaxEntries)
            _tokens.Clear(); // they are checked again, once each
    }
}
