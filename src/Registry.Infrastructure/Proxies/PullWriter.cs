using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Proxies;

/// <summary>
/// Writes down every few seconds, and when the server stops, what was pulled through proxies: a manifest that is pulled
/// a thousand times meanwhile costs one write.
/// </summary>
internal sealed partial class PullWriter(ManifestPulls pulls, TimeProvider time, ILogger<PullWriter> logger)
    : DeferredWrites(TimeSpan.FromSeconds(5), time)
{
    public override Task WriteAsync(CancellationToken cancellationToken) => pulls.WriteAsync(cancellationToken);

    protected override void TellFailing(string problem) => Log.NotWritten(logger, problem);

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "When cached manifests were pulled cannot be written down ({Problem}).")]
        public static partial void NotWritten(ILogger logger, string problem);
    }
}
