using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

/// <summary>A test that needs an S3 server: skipped by name when its programs are missing, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class S3FactAttribute : FactAttribute
{
    public S3FactAttribute() => Skip = Programs.ReasonToSkip(S3Server.Needs);
}

/// <inheritdoc cref="S3FactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class S3TheoryAttribute : TheoryAttribute
{
    public S3TheoryAttribute() => Skip = Programs.ReasonToSkip(S3Server.Needs);
}
