using System.Text.RegularExpressions;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>What the image promises, read from the Dockerfile.</summary>
public sealed partial class DockerfileTests
{
    private static readonly string[] Instructions
        = Continuation().Replace(string.Join('\n', new ShippedFile("Dockerfile").Lines), " ").Split('\n');

    private static readonly int LastStage
        = Array.FindLastIndex(Instructions, line => line.StartsWith("FROM ", StringComparison.Ordinal));

    [Fact]
    public void The_server_runs_as_somebody_who_is_not_root()
    {
        var user = OfLastStage("USER");
        Assert.Matches("^[1-9][0-9]*:[1-9][0-9]*$", user);
        var owner = user.Split(':');
        Assert.Contains($"--owner={owner[0]} --group={owner[1]}", OfLastStage("RUN"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_knows_whether_it_is_healthy_without_another_program()
    {
        Assert.Equal("""["/app/Registry.Web"]""", OfLastStage("ENTRYPOINT"));
        Assert.EndsWith(
            """CMD ["/app/Registry.Web", "health"]""", OfLastStage("HEALTHCHECK"), StringComparison.Ordinal);
    }

    [Fact]
    public void Port_and_data_are_what_the_server_is_told()
    {
        var settings = OfLastStage("ENV");
        Assert.Contains($"Registry__Listen__0=http://*:{OfLastStage("EXPOSE")}", settings, StringComparison.Ordinal);
        Assert.Contains($"Registry__Data={OfLastStage("VOLUME")}", settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_copied_is_there_and_let_through()
    {
        var copied = Instructions
            .Where(line => line.StartsWith("COPY ", StringComparison.Ordinal))
            .Where(line => !line.Contains("--from=", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..^1])
            .ToArray();
        var letThrough = new ShippedFile(".dockerignore").Lines
            .Where(line => line[0] == '!').Select(line => line[1..]).ToArray();
        Assert.All(
            copied, path => Assert.True(Path.Exists(Path.Combine(RepositoryRoot.Path, path)), $"{path} is missing."));
        Assert.All(copied, path => Assert.Contains(path.Split('/')[0], letThrough));
        Assert.Equal(
            Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "src"), "*.csproj", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(RepositoryRoot.Path, path)).Order(StringComparer.Ordinal),
            copied.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    // The only one of its kind in the stage that is shipped.
    private static string OfLastStage(string instruction)
    {
        var start = $"{instruction} ";
        return Assert.Single(
            Instructions[LastStage..], line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..];
    }

    [GeneratedRegex(@"\s*\\\n\s*")]
    private static partial Regex Continuation();
}
