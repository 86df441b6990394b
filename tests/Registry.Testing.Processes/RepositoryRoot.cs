namespace Registry.Testing.Processes;

/// <summary>The folder of the checkout, found from where the tests run.</summary>
public static class RepositoryRoot
{
    public static string Path { get; } = Find();

    /// <summary>The server's build output: the tests run what is shipped, not a build of their own.</summary>
    public static string ServerAssembly
        => System.IO.Path.Combine(Path, "src/Registry.Web/bin/Release/net10.0/Registry.Web.dll");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Registry.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No Registry.sln above {AppContext.BaseDirectory}.");
    }
}
