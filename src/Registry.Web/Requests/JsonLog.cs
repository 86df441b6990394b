using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Registry.Web.Requests;

/// <summary>
/// The log as one JSON object a line. A request's line is written from its parts, without a message that says them
/// again.
/// </summary>
[ProviderAlias("Json")]
internal sealed class JsonLog(Stream output) : ILoggerProvider, ISupportExternalScope
{
    private static readonly JsonWriterOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // control characters and quotes are escaped all the same
        SkipValidation = true,
    };

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? s_line;

    private readonly LogLines _lines = new(output);
    private IExternalScopeProvider? _scopes;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose() => _lines.Dispose();

    private void Write<TState>(
        string category, LogLevel level, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var (buffer, json) = s_line ??= NewLine();
        buffer.ResetWrittenCount();
        json.Reset();

        json.WriteStartObject();
        json.WriteString("time"u8, DateTime.UtcNow);
        json.WriteString("level"u8, NameOf(level));
        json.WriteString("category"u8, category);
        if (state is AccessEntry access)
        {
            WriteAccess(json, access);
        }
        else
        {
            json.WriteString("message"u8, formatter(state, exception));
            if (RequestScope.IdIn(_scopes) is { } id)
                json.WriteString("requestId"u8, id);
            if (exception is not null)
                json.WriteString("exception"u8, exception.ToString());
        }

        json.WriteEndObject();
        json.Flush();
        buffer.Write("\n"u8);
        _lines.Add(buffer.WrittenSpan);
    }

    private static void WriteAccess(Utf8JsonWriter json, in AccessEntry access)
    {
        json.WriteString("method"u8, access.Method);
        json.WriteString("path"u8, access.Path);
        json.WriteNumber("status"u8, access.Status);
        if (access.Bytes is { } bytes)
            json.WriteNumber("bytes"u8, bytes);
        json.WriteNumber("milliseconds"u8, Math.Round(access.Milliseconds, 2));
        json.WriteString("client"u8, access.Client);
        json.WriteString("requestId"u8, access.RequestId);
    }

    private static ReadOnlySpan<byte> NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace"u8,
        LogLevel.Debug => "debug"u8,
        LogLevel.Information => "information"u8,
        LogLevel.Warning => "warning"u8,
        LogLevel.Error => "error"u8,
        _ => "critical"u8,
    };

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json) NewLine()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        return (buffer, new(buffer, Plain));
    }

    private sealed class Logger(JsonLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => log._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
            => log.Write(category, logLevel, state, exception, formatter);
    }
}
