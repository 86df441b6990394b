namespace Registry.Testing.Processes;

/// <summary>The programs of this machine, and what a missing one means.</summary>
public static class Programs
{
    // Without root these want user namespaces and a set-up that a test cannot make.
    private static readonly string[] ForRoot = ["dockerd", "containerd", "podman", "buildah"];

    // Daemons live in sbin, which not every shell has on its PATH.
    public static string SearchPath { get; }
        = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/local/sbin:/usr/sbin:/sbin";

    /// <summary>In CI nothing may be skipped: a missing program makes its tests fail.</summary>
    public static bool AreRequired => Environment.GetEnvironmentVariable("CI") == "true";

    /// <summary>The big sizes, for a run that may take an hour.</summary>
    public static bool FullSizes => Environment.GetEnvironmentVariable("REGISTRY_TEST_FULL") == "1";

    public static string? Find(string program)
        => SearchPath.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    public static string Require(string program)
        => Find(program) ?? throw new FileNotFoundException($"The program '{program}' is not installed.");

    /// <summary>Why a test that needs these programs is skipped, or null when it runs.</summary>
    public static string? ReasonToSkip(params string[] programs)
    {
        if (AreRequired)
            return null;
        var missing = programs.Where(program => Find(program) is null).ToArray();
        if (missing.Length > 0)
            return $"not installed: {string.Join(", ", missing)}";
        var forRoot = Environment.IsPrivilegedProcess ? [] : programs.Intersect(ForRoot, StringComparer.Ordinal).ToArray();
        return forRoot.Length > 0 ? $"only root can run: {string.Join(", ", forRoot)}" : null;
    }
}
