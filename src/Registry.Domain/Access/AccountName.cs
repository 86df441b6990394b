using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Access;

/// <summary>
/// What a local user or group is called: up to 128 letters, digits and <c>. _ - @ +</c> of ASCII, beginning with a
/// letter or digit. They compare by byte.
/// </summary>
/// <remarks>No colon, which ends the name in RFC 7617, and nothing that two people can read differently.</remarks>
public sealed record AccountName
{
    public const int MaxLength = 128;

    private AccountName(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out AccountName? name)
    {
        name = text is { Length: > 0 and <= MaxLength } && char.IsAsciiLetterOrDigit(text[0]) && text.All(IsAllowed)
            ? new(text)
            : null;
        return name is not null;
    }

    public static AccountName Parse(string text)
        => TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is no name of a user or group.");

    public override string ToString() => Value;

    private static bool IsAllowed(char character)
        => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-' or '@' or '+';
}
