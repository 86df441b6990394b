using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration.Json;

namespace Registry.Web.Configuration;

/// <summary>
/// The configuration files of the server, looked at every second. Their content is compared: that needs no notice from
/// the file system, which network and container file systems do not give, and sees links that are turned. What the
/// framework itself has read stays as it was at the start.
/// </summary>
/// <param name="atStart">What <see cref="Fingerprint"/> was when the configuration was read.</param>
internal sealed class ConfigurationFiles(
    IReadOnlyList<IConfigurationSource> sources, string atStart, RuleReload reload, TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>Another one whenever one of the files has another content.</summary>
    public static string Fingerprint(IReadOnlyList<IConfigurationSource> sources)
    {
        var text = new StringBuilder();
        foreach (var path in sources.OfType<JsonConfigurationSource>().Select(PathOf))
        {
            try
            {
                text.Append(File.Exists(path) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))) : "none");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                text.Append(e.Message);
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (inForce, seen) = (atStart, "");
        using var timer = new PeriodicTimer(LookAgain, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = Fingerprint(sources);
                // Somebody may be in the middle of writing: what counts is what stays for a second.
                if (now != inForce && now == seen)
                {
                    inForce = now;
                    reload.Apply(Read);
                }

                seen = now;
            }
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }

    // From the same sources, read anew and watched by nobody.
    private IConfiguration Read()
    {
        var builder = new ConfigurationBuilder();
        foreach (var source in sources)
        {
            builder.Add(source is JsonConfigurationSource json
                ? new JsonConfigurationSource
                {
                    FileProvider = json.FileProvider,
                    Path = json.Path ?? "",
                    Optional = json.Optional,
                    ReloadOnChange = false,
                }
                : source);
        }

        return builder.Build();
    }

    // A file that may be missing is looked for where it would be.
    private static string? PathOf(JsonConfigurationSource source)
        => source.Path is { } path ? source.FileProvider?.GetFileInfo(path).PhysicalPath : null;
}
