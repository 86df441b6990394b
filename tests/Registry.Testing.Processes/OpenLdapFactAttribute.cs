namespace Registry.Testing.Processes;

/// <summary>Skipped by name where no OpenLDAP server is installed, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpenLdapFactAttribute : FactAttribute
{
    public OpenLdapFactAttribute() => Skip = OpenLdapProcess.ReasonToSkip;
}

/// <inheritdoc cref="OpenLdapFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpenLdapTheoryAttribute : TheoryAttribute
{
    public OpenLdapTheoryAttribute() => Skip = OpenLdapProcess.ReasonToSkip;
}
