namespace Registry.Testing.Processes;

/// <summary>Skipped by name where the programs of the S3 server are missing, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class S3FactAttribute : FactAttribute
{
    public S3FactAttribute() => Skip = S3Server.ReasonToSkip;
}

/// <inheritdoc cref="S3FactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class S3TheoryAttribute : TheoryAttribute
{
    public S3TheoryAttribute() => Skip = S3Server.ReasonToSkip;
}
