namespace Registry.Application.Access;

/// <summary>What everybody may do who shows no credentials.</summary>
public enum AnonymousAccess
{
    None,
    Pull,

    /// <summary>Pull, push and delete.</summary>
    Push,
}

/// <summary><c>Registry:Access</c></summary>
public sealed class AccessOptions
{
    /// <summary>
    /// What anonymous clients may do everywhere. Left out, they may do nothing, and the programs of this machine
    /// (<see cref="Registry.Domain.Access.Principal.Local"/>) everything.
    /// </summary>
    public AnonymousAccess? Anonymous { get; set; }
}
