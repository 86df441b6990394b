using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>A file that users copy; a test puts other addresses and paths into it, and nothing else.</summary>
internal sealed class ShippedFile(string relativePath)
{
    public static string FolderPath { get; } = Path.Combine(RepositoryRoot.Path, "deploy");

    public string Text { get; private set; } = File.ReadAllText(Path.Combine(RepositoryRoot.Path, relativePath));

    /// <summary>The lines that are no comment.</summary>
    public IEnumerable<string> Lines
        => Text.Split('\n').Where(line => line.Trim() is { Length: > 0 } trimmed && !trimmed.StartsWith('#'));

    /// <summary>Puts something else in the place of what must be there.</summary>
    public ShippedFile With(string old, string replacement)
    {
        Assert.Contains(old, string.Join('\n', Lines), StringComparison.Ordinal);
        Text = Text.Replace(old, replacement, StringComparison.Ordinal);
        return this;
    }

    public void SaveAs(string path) => File.WriteAllText(path, Text);
}
