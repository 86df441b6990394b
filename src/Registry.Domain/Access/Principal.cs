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

    /// <summary>Whether credentials were shown and found good.</summary>
    public bool IsSignedIn => Subjects.Count > 0;

    /// <summary>Whether it is the same caller, whatever groups it is in.</summary>
    public bool Equals(Principal? other) => other is not null && other.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    /// <summary>Somebody whom a provider knows, in the groups that it says now.</summary>
    public static Principal User(string name, params IReadOnlyCollection<string> groups)
    {
        var user = AccessSubject.User(name);
        return new(user.Text) { Subjects = [user, .. groups.Select(AccessSubject.Group)] };
    }
}
