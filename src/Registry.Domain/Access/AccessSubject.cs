using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Access;

/// <summary>
/// Whom an access rule is about: <c>everyone</c>, with or without credentials, <c>user:NAME</c> or <c>group:NAME</c>.
/// Names compare by byte.
/// </summary>
public sealed record AccessSubject
{
    public const int MaxNameLength = 255;

    public static readonly AccessSubject Everyone = new("everyone");

    private AccessSubject(string text) => Text = text;

    public string Text { get; }

    public static AccessSubject User(string name) => new($"user:{name}");

    public static AccessSubject Group(string name) => new($"group:{name}");

    public static bool TryParse(string? text, [NotNullWhen(true)] out AccessSubject? subject)
    {
        subject = text == Everyone.Text ? Everyone
            : NameBehind("user:") is { } user ? User(user)
            : NameBehind("group:") is { } group ? Group(group)
            : null;
        return subject is not null;

        string? NameBehind(string kind)
            => text?.StartsWith(kind, StringComparison.Ordinal) == true && IsName(text[kind.Length..])
                ? text[kind.Length..]
                : null;
    }

    /// <summary>Whether a user or group can be called so: up to 255 characters, none of them for control.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= MaxNameLength && !name.Any(char.IsControl);

    public override string ToString() => Text;
}
