using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Access;

/// <summary>
/// Whom an access rule is about: <c>everyone</c>, with or without credentials, <c>user:NAME</c>, <c>group:NAME</c>,
/// <c>robot:NAME</c>, <c>workload:ISSUER/NAME</c>, who shows a token of that issuer, or <c>claim:NAME=VALUE</c>, a
/// claim of such a token. They compare by byte.
/// </summary>
public sealed record AccessSubject
{
    public const int MaxNameLength = 255;

    /// <summary>The forms there are, for messages.</summary>
    public const string Forms
        = "everyone, user:NAME, group:NAME, robot:NAME, workload:ISSUER/NAME or claim:NAME=VALUE";

    public static readonly AccessSubject Everyone = new("everyone");

    private AccessSubject(string text) => Text = text;

    public string Text { get; }

    public static AccessSubject User(string name) => new($"user:{name}");

    public static AccessSubject Group(string name) => new($"group:{name}");

    public static AccessSubject Robot(string name) => new($"robot:{name}");

    /// <param name="issuer">The id of the issuer in the configuration.</param>
    public static AccessSubject Workload(string issuer, string name) => new($"workload:{issuer}/{name}");

    public static AccessSubject Claim(string name, string value) => new($"claim:{name}={value}");

    public static bool TryParse(string? text, [NotNullWhen(true)] out AccessSubject? subject)
    {
        subject = text == Everyone.Text ? Everyone
            : NameBehind("user:") is { } user ? User(user)
            : NameBehind("group:") is { } group ? Group(group)
            : NameBehind("robot:") is { } robot ? Robot(robot)
            : NameBehind("workload:") is { } workload && IsWithin(workload, '/') ? new(text!)
            : NameBehind("claim:") is { } claim && claim.IndexOf('=', StringComparison.Ordinal) > 0 ? new(text!)
            : null;
        return subject is not null;

        static bool IsWithin(string name, char separator)
            => name.IndexOf(separator, StringComparison.Ordinal) is var at && at > 0 && at < name.Length - 1;

        string? NameBehind(string kind)
            => text?.StartsWith(kind, StringComparison.Ordinal) == true && IsName(text[kind.Length..])
                ? text[kind.Length..]
                : null;
    }

    /// <summary>Whether a user or group can be called so: up to 255 characters, none of them for control.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= MaxNameLength && !name.Any(char.IsControl);

    public override string ToString() => Text;
}
