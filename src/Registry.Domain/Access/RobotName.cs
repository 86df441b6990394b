using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Access;

/// <summary>
/// The name of a robot, such as <c>ci</c>: lower-case letters and digits, with <c>.</c>, <c>_</c> and <c>-</c> inside,
/// up to 64 characters.
/// </summary>
public sealed record RobotName
{
    public const int MaxLength = 64;

    /// <summary>The grammar in words, for messages.</summary>
    public const string Form = "up to 64 lower-case letters, digits and inner '.', '_', '-'";

    private const string LoginPrefix = "robot+";

    private RobotName(string value) => Value = value;

    public string Value { get; }

    /// <summary>What a robot shows as its user name.</summary>
    public string LoginName => LoginPrefix + Value;

    public static bool TryParse(string? text, [NotNullWhen(true)] out RobotName? name)
    {
        name = text is { Length: > 0 and <= MaxLength } && text.All(IsAllowed) && IsEnd(text[0]) && IsEnd(text[^1])
            ? new(text)
            : null;
        return name is not null;
    }

    public static RobotName Parse(string text)
        => TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is not a robot's name.");

    public override string ToString() => Value;

    private static bool IsAllowed(char character) => IsEnd(character) || character is '.' or '_' or '-';

    private static bool IsEnd(char character) => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character);
}
