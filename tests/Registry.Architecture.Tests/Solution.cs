namespace Registry.Architecture.Tests;

/// <summary>The sources that the tested assemblies were built from.</summary>
internal static class Solution
{
    public static string Folder(string name) => Path.Combine(Root(), name);

    public static string ProjectFile(string project) => Path.Combine(Root(), "src", project, project + ".csproj");

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Registry.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"No Registry.sln above {AppContext.BaseDirectory}.");
    }
}
