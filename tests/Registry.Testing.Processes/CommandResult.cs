namespace Registry.Testing.Processes;

/// <summary>How a command ended, with all it said.</summary>
public sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>The standard output of a command that succeeded; anything else is an error that shows it all.</summary>
    public string OutputOrThrow()
        => Succeeded ? Output : throw new InvalidOperationException($"""
            '{CommandLine}' ended with {ExitCode}.
            {Error}
            {Output}
            """);
}
