namespace Registry.Clients.Tests;

/// <summary>A test that drives programs: skipped by name when one is missing, except in CI, where it fails.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClientFactAttribute : FactAttribute
{
    public ClientFactAttribute(params string[] programs)
    {
        Programs = programs;
        Skip = Testing.Processes.Programs.ReasonToSkip(programs);
    }

    public IReadOnlyList<string> Programs { get; }
}
