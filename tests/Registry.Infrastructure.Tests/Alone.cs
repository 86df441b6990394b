namespace Registry.Infrastructure.Tests;

/// <summary>Tests that look at, or limit, the whole process: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
