using System.Text;
using Microsoft.Extensions.Logging;

namespace Registry.Testing;

/// <summary>Keeps all that a server in this process logs, as far as <c>--verbose</c> would show it.</summary>
internal sealed class LogCapture : ILoggerProvider, ILogger
{
    // Enough to find what does not belong there, however long a test floods its server.
    private const int MaxCharsKept = 1 << 23;

    private readonly StringBuilder _lines = new();

    public string Text
    {
        get
        {
            lock (_lines)
                return _lines.ToString();
        }
    }

    public static void AddTo(ILoggingBuilder logging, LogCapture capture)
    {
        logging.AddProvider(capture);
        logging.AddFilter<LogCapture>(category: null, LogLevel.Debug);
        logging.AddFilter<LogCapture>("Microsoft", LogLevel.Information);
        logging.AddFilter<LogCapture>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel is not LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{formatter(state, exception)} {exception}\n";
        lock (_lines)
        {
            _lines.Append(line);
            if (_lines.Length > MaxCharsKept)
                _lines.Remove(0, _lines.Length - (MaxCharsKept / 2));
        }
    }

    public void Dispose()
    {
        // What was kept is read when its server has ended.
    }
}
