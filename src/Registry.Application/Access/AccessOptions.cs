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
    /// What anonymous clients may do everywhere. Left out, they may push, but only over loopback without a proxy in
    /// between: anything else needs the choice made.
    /// </summary>
    public AnonymousAccess? Anonymous { get; set; }
}
