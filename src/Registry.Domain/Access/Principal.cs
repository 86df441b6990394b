namespace Registry.Domain.Access;

/// <summary>Who calls.</summary>
/// <param name="Name">What upload sessions and the history of tags remember of the caller.</param>
public sealed record Principal(string Name)
{
    /// <summary>Somebody who shows no credentials.</summary>
    public static readonly Principal Anonymous = new("anonymous");

    /// <summary>
    /// A program on the registry's own machine, as long as nobody has said what anonymous clients may do.
    /// </summary>
    public static readonly Principal Local = new("local");

    /// <summary>What rules can call it besides everyone; nothing for who shows no credentials.</summary>
    public IReadOnlyList<AccessSubject> Subjects { get; private init; } = [];

    /// <summary>
    /// Where it is found again; null for who shows no credentials, and for who is known by a claim alone.
    /// </summary>
    public AccountReference? Account { get; init; }

    /// <summary>What the credential shown is limited to; null for no limit.</summary>
    public CredentialScope? Scope { get; init; }

    /// <summary>What the bearer token shown is limited to; null where there is none.</summary>
    public TokenScope? Token { get; init; }

    /// <summary>As of when its provider has said so; null for just now.</summary>
    public DateTimeOffset? KnownAt { get; init; }

    /// <summary>When the credential shown ends; null for no known end.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Whether credentials were shown and found good.</summary>
    public bool IsSignedIn => Subjects.Count > 0;

    /// <summary>Whether it is the same caller, whatever groups it is in and whatever it shows.</summary>
    public bool Equals(Principal? other) => other is not null && other.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    /// <summary>Somebody whom a provider knows, in the groups that it says now.</summary>
    public static Principal User(string name, params IReadOnlyCollection<string> groups)
        => Of(AccessSubject.User(name), [.. groups.Select(AccessSubject.Group)]);

    public static Principal Robot(string name) => Of(AccessSubject.Robot(name));

    /// <param name="subject">What it is called; the first of its subjects.</param>
    /// <param name="others">What else rules can call it.</param>
    public static Principal Of(AccessSubject subject, params IReadOnlyCollection<AccessSubject> others)
        => new(subject.Text) { Subjects = [subject, .. others] };
}
