using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Repositories;

/// <summary>
/// A repository's <c>&lt;name&gt;</c>: components of lower-case letters and digits, separated inside by one dot, one or
/// two underscores or any number of dashes, joined by slashes; up to 255 characters (distribution-spec, "Pulling
/// manifests").
/// </summary>
public sealed record RepositoryName
{
    public const int MaxLength = 255;

    private RepositoryName(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out RepositoryName? name)
    {
        name = text is { Length: > 0 and <= MaxLength } && IsWellFormed(text) ? new(text) : null;
        return name is not null;
    }

    public static RepositoryName Parse(string text)
        => TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is not a repository name.");

    public override string ToString() => Value;

    // One pass: each separator run must stand between two letters or digits, and be one of ". _ __ -+ /".
    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!char.IsAsciiLetterLower(text[i]) && !char.IsAsciiDigit(text[i]))
                return false;
            while (i < text.Length && (char.IsAsciiLetterLower(text[i]) || char.IsAsciiDigit(text[i])))
                i++;
            if (i == text.Length)
                return true;

            var separator = text[i];
            var start = i;
            while (i < text.Length && text[i] == separator)
                i++;
            var allowed = separator switch { '/' or '.' => 1, '_' => 2, '-' => MaxLength, _ => 0 };
            if (i - start > allowed)
                return false;
        }

        return false; // ends with a separator
    }
}
