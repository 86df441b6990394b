namespace Registry.Application.Access;

/// <summary>The names of the ways to show credentials; each has its handler under its name.</summary>
public static class CredentialSchemes
{
    /// <summary>User and password (RFC 7617).</summary>
    public const string Basic = "Registry.Basic";

    /// <summary>A token that this registry has issued (RFC 6750).</summary>
    public const string Bearer = "Registry.Bearer";
}
