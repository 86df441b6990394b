using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Registry.Web.Requests;

/// <summary>The server's log: JSON lines with their request's id for programs, plain lines on a terminal.</summary>
internal static partial class ConsoleLog
{
    public static void Configure(ILoggingBuilder logging, bool verbose)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Information);
        logging.AddFilter("Microsoft", verbose ? LogLevel.Information : LogLevel.Warning);
        // it writes queries, and what is secret in them; and while it is heard at all, each request pays for a scope
        // and an activity
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // a refused start is told once, by its command
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        if (Console.IsOutputRedirected)
        {
            logging.AddProvider(new JsonLog(Console.OpenStandardOutput()));
        }
        else
        {
            logging.AddConsole(console => console.FormatterName = PlainFormatter.FormatterName);
            logging.Services.AddSingleton<ConsoleFormatter, PlainFormatter>();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Registry {Version} listens on {Addresses}; its data folder is {Data}")]
    private static partial void Started(ILogger logger, string version, string addresses, string data);

    public static void Started(ILogger logger, string addresses, string data)
        => Started(
            logger,
            typeof(ConsoleLog).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                ?.InformationalVersion.Split('+')[0] ?? "",
            addresses,
            data);

    private sealed class PlainFormatter() : ConsoleFormatter(FormatterName)
    {
        public const string FormatterName = "registry-plain";

        public override void Write<TState>(
            in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
        {
            var level = logEntry.LogLevel switch
            {
                LogLevel.Critical or LogLevel.Error => "error: ",
                LogLevel.Warning => "warning: ",
                _ => "",
            };
            textWriter.Write(DateTime.Now.ToString("HH:mm:ss ", CultureInfo.InvariantCulture));
            textWriter.Write(level);
            textWriter.Write(logEntry.Formatter(logEntry.State, logEntry.Exception));
            // its lines have it
            if (logEntry.State is not AccessEntry && RequestScope.IdIn(scopeProvider) is { } id)
                textWriter.Write($" [{id}]");
            textWriter.WriteLine();
            if (logEntry.Exception is { } e)
                textWriter.WriteLine(logEntry.LogLevel >= LogLevel.Error ? e.ToString() : e.Message);
        }
    }
}
