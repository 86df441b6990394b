using Registry.Application.Access;
using Registry.Infrastructure;

namespace Registry.Web.Configuration;

/// <summary>
/// Puts the access rules in force that the configuration has now, without a restart. A configuration that could not be
/// started with leaves in force what was read before.
/// </summary>
internal sealed partial class RuleReload(ConfiguredRules rules, ILogger<RuleReload> logger)
{
    private readonly Lock _lock = new();
    private string _problem = "";

    /// <param name="read">Reads the configuration, whole.</param>
    public void Apply(Func<IConfiguration> read)
    {
        lock (_lock)
        {
            try
            {
                var current = ConfiguredRules.Read(ConfigurationReader.Read(read()).Access);
                rules.Replace(current);
                _problem = "";
                Log.Reloaded(logger, current.Count);
            }
            catch (Exception e) when (
                e is StartRefusedException or InvalidDataException or FormatException or IOException
                    or UnauthorizedAccessException)
            {
                var problem = e is InvalidDataException && e.InnerException is not null
                    ? $"{e.Message.TrimEnd('.')}: {e.GetBaseException().Message}"
                    : e.Message;
                if (problem != _problem)
                    Log.NotReloaded(logger, problem);
                _problem = problem; // told about once
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "The configuration has changed: its {Rules} access rules are in force now, "
                + "all else counts after a restart.")]
        public static partial void Reloaded(ILogger logger, int rules);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "The configuration has changed and cannot be used, so that the rules that were read before stay "
                + "in force: {Problem}")]
        public static partial void NotReloaded(ILogger logger, string problem);
    }
}
