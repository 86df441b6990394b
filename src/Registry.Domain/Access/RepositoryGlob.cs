using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Access;

/// <summary>
/// A pattern of repository names: <c>*</c> stands for any characters within one component, <c>**</c> for any at all,
/// and <c>**/</c> for any number of whole components, none included.
/// </summary>
/// <remarks>
/// Matching takes time in proportion to the lengths of name and pattern multiplied, whatever the pattern.
/// </remarks>
public sealed record RepositoryGlob
{
    public const int MaxLength = 255;

    /// <summary>The pattern that every name matches.</summary>
    public const string All = "**";

    private readonly Token[] _tokens;

    private RepositoryGlob(string text, Token[] tokens)
    {
        (Text, _tokens) = (text, tokens);
        var literal = Array.FindIndex(tokens, token => token.Kind is not Kind.Character);
        Prefix = new string([.. tokens.Take(literal < 0 ? tokens.Length : literal).Select(token => token.Character)]);
    }

    public string Text { get; }

    /// <summary>What every name begins with that the pattern matches; the whole name when it has no wildcard.</summary>
    public string Prefix { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out RepositoryGlob? glob)
    {
        glob = text is { Length: > 0 and <= MaxLength } && text.All(IsAllowed) && HasWholeComponents(text)
            ? new(text, Tokens(text))
            : null;
        return glob is not null;
    }

    public bool Matches(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        if (_tokens.Length == Prefix.Length)
            return name.Length == Prefix.Length;
        if (_tokens.Length == Prefix.Length + 1 && _tokens[^1].Kind is Kind.Anything)
            return true;

        // All places of the pattern at which the match can stand, character by character of the name.
        Span<bool> standing = stackalloc bool[MaxLength + 1];
        Span<bool> next = stackalloc bool[MaxLength + 1];
        standing = standing[..(_tokens.Length + 1)];
        next = next[..(_tokens.Length + 1)];
        Reach(Prefix.Length, standing);
        for (var at = Prefix.Length; at < name.Length; at++)
        {
            next.Clear();
            for (var i = 0; i < _tokens.Length; i++)
            {
                if (standing[i])
                    Step(name[at], i, next);
            }

            var passed = standing;
            standing = next;
            next = passed;
        }

        return standing[_tokens.Length];
    }

    public override string ToString() => Text;

    public bool Equals(RepositoryGlob? other) => other is not null && other.Text == Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    private void Step(char character, int i, Span<bool> next)
    {
        var token = _tokens[i];
        switch (token.Kind)
        {
            case Kind.Character when token.Character == character:
            case Kind.Components when character == '/':
                Reach(i + 1, next);
                next[i] |= token.Kind is Kind.Components;
                break;
            case Kind.Components: // within one of them, which must end before the pattern goes on
                next[i] = true;
                break;
            case Kind.WithinComponent when character != '/':
            case Kind.Anything:
                Reach(i, next);
                break;
        }
    }

    // A wildcard that is reached may also stand for nothing.
    private void Reach(int i, Span<bool> standing)
    {
        standing[i] = true;
        for (; i < _tokens.Length && _tokens[i].Kind is not Kind.Character; i++)
            standing[i + 1] = true;
    }

    // No name has an empty component: such a pattern would quietly match nothing.
    private static bool HasWholeComponents(string text)
        => text[0] != '/' && text[^1] != '/' && !text.Contains("//", StringComparison.Ordinal);

    private static bool IsAllowed(char character)
        => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character)
            || character is '.' or '_' or '-' or '/' or '*';

    private static Token[] Tokens(string text)
    {
        var tokens = new List<Token>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (text[i] != '*')
            {
                tokens.Add(new(Kind.Character, text[i++]));
                continue;
            }

            var start = i;
            while (i < text.Length && text[i] == '*')
                i++;
            var begins = start == 0 || text[start - 1] == '/';
            if (i - start == 1)
            {
                tokens.Add(new(Kind.WithinComponent, '\0'));
            }
            else if (begins && i < text.Length && text[i] == '/')
            {
                tokens.Add(new(Kind.Components, '\0'));
                i++;
            }
            else
            {
                tokens.Add(new(Kind.Anything, '\0'));
            }
        }

        return [.. tokens];
    }

    private enum Kind
    {
        Character,
        WithinComponent,
        Anything,
        Components,
    }

    private readonly record struct Token(Kind Kind, char Character);
}
