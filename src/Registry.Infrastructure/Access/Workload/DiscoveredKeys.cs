using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Registry.Infrastructure.Access.Jwt;
using Registry.Infrastructure.Outbound;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>
/// Keys that an issuer publishes (OpenID Connect Discovery). They are read in the background: nobody waits for it but
/// who shows a token that no known key has signed, and all of them for one read. While the issuer cannot be reached,
/// keys count on for a day.
/// </summary>
internal sealed partial class DiscoveredKeys : IIssuerKeys
{
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(1);

    // Tokens with unknown keys, which anybody can make up, must not become a request to the issuer each.
    private static readonly TimeSpan BetweenReads = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MaxReadTime = TimeSpan.FromSeconds(10);

    private readonly string _issuer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private Task _reading = Task.CompletedTask;
    private volatile Read? _read;
    private long? _tried;
    private bool _failing;

    /// <param name="isAllowed">Where connections may lead, whatever the issuer's name resolves to.</param>
    public DiscoveredKeys(string issuer, Predicate<IPAddress> isAllowed, TimeProvider time, ILogger logger)
    {
        (_issuer, _time, _logger) = (issuer, time, logger);
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false, // it would connect for us, to whatever it likes
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            MaxResponseHeadersLength = 16,
            SslOptions = new() { CertificateChainPolicy = ServerCertificates.Policy() },
            ConnectCallback = (context, cancellationToken)
                => AddressGuard.ConnectAsync(context.DnsEndPoint, isAllowed, cancellationToken),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public JwtKey[]? Known
    {
        get
        {
            var read = _read;
            if (read is null)
                return null;
            var age = _time.GetElapsedTime(read.At);
            if (age >= RefreshAfter)
                _ = BeginAsync();
            return age < MaxAge ? read.Keys : null;
        }
    }

    // An issuer that cannot be reached now, may be later.
    public void Open() => _ = BeginAsync();

    public Task LookAgainAsync(CancellationToken cancellationToken) => BeginAsync().WaitAsync(cancellationToken);

    public void Dispose()
    {
        _end.Cancel();
        _http.Dispose();
        _end.Dispose();
    }

    // The read under way, or a new one, unless there was one just now.
    private Task BeginAsync()
    {
        lock (_lock)
        {
            if (_reading.IsCompleted && (_tried is not { } tried || _time.GetElapsedTime(tried) >= BetweenReads))
            {
                _tried = _time.GetTimestamp();
                _reading = Task.Run(ReadAsync, CancellationToken.None);
            }

            return _reading;
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            timeout.CancelAfter(MaxReadTime);
            var keys = KeySet.Parse(await GetAsync(await FindAsync(timeout.Token), timeout.Token));
            _read = new(keys, _time.GetTimestamp());
            if (_failing)
                Log.ReadAgain(_logger, _issuer);
            _failing = false;
        }
        catch (Exception e) when (
            e is HttpRequestException or IOException or FormatException or JsonException or OperationCanceledException
                or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            if (!_failing && !_end.IsCancellationRequested)
            {
                Log.NotRead(
                    _logger, _issuer,
                    e is OperationCanceledException ? "no answer in time" : e.GetBaseException().Message);
            }

            _failing = true; // told about once
        }
    }

    // The keys are where the document says, and that is at the issuer's own address.
    private async Task<Uri> FindAsync(CancellationToken cancellationToken)
    {
        var issuer = new Uri(_issuer);
        var place = new Uri($"{_issuer.TrimEnd('/')}/.well-known/openid-configuration");
        using var document = JsonDocument.Parse(
            await GetAsync(place, cancellationToken), new() { AllowDuplicateProperties = false });
        var configuration = document.RootElement;
        if (configuration.ValueKind is not JsonValueKind.Object
            || JsonWebToken.Text(configuration, "issuer") != _issuer)
            throw new FormatException($"{place} does not say that it is about this issuer");
        if (!Uri.TryCreate(JsonWebToken.Text(configuration, "jwks_uri"), UriKind.Absolute, out var keys)
            || keys.Scheme != issuer.Scheme || keys.Authority != issuer.Authority || keys.UserInfo.Length > 0)
            throw new FormatException($"{place} names no jwks_uri at {issuer.Scheme}://{issuer.Authority}");
        return keys;
    }

    private async Task<byte[]> GetAsync(Uri place, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, place);
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if ((int)answer.StatusCode != 200)
            throw new FormatException(FormattableString.Invariant($"{place} answers {(int)answer.StatusCode}"));
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var content = new byte[KeySet.MaxBytes + 1];
        var length = await body.ReadAtLeastAsync(
            content, content.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= KeySet.MaxBytes
            ? content[..length]
            : throw new FormatException(
                FormattableString.Invariant($"{place} has more than {KeySet.MaxBytes >> 10} KiB"));
    }

    private sealed record Read(JwtKey[] Keys, long At);

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "The keys of {Issuer} cannot be read ({Problem}): those that are known count on for a day.")]
        public static partial void NotRead(ILogger logger, string issuer, string problem);

        [LoggerMessage(Level = LogLevel.Information, Message = "The keys of {Issuer} can be read again.")]
        public static partial void ReadAgain(ILogger logger, string issuer);
    }
}
