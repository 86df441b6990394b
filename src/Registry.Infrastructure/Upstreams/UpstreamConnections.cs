using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Registry.Domain.Errors;
using Registry.Infrastructure.Outbound;

namespace Registry.Infrastructure.Upstreams;

/// <summary>Carries one request to where it is addressed, and says in words what prevents an answer.</summary>
internal sealed class UpstreamConnections : IDisposable
{
    private readonly UpstreamPlace _place;
    private readonly UpstreamAuthorities _authorities;
    private readonly TimeSpan _patience;
    private readonly HttpClient _http;

    /// <param name="patience">How long an answer may take to begin.</param>
    public UpstreamConnections(UpstreamPlace place, UpstreamAuthorities authorities, TimeSpan patience)
    {
        (_place, _authorities, _patience) = (place, authorities, patience);
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // each hop is judged
            UseCookies = false,
            UseProxy = false, // it would connect for us, to whatever it likes
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = patience,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // names move
            MaxResponseHeadersLength = 64,
            SslOptions = new()
            {
                CertificateChainPolicy = ServerCertificates.Policy(),
                RemoteCertificateValidationCallback = Trust,
            },
            ConnectCallback = (context, cancellationToken) => AddressGuard.ConnectAsync(
                context.DnsEndPoint, address => place.IsAllowed(context.DnsEndPoint, address), cancellationToken),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The answer as soon as its headers are there, whatever its status is.</summary>
    public async Task<Result<HttpResponseMessage>> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_patience);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Unavailable(request, $"did not answer within {_patience.TotalSeconds} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return ToError(request, e);
        }
    }

    public void Dispose() => _http.Dispose();

    // A certificate that is refused is told from a connection that is broken.
    private bool Trust(object connection, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var problems = new List<string>();
        var others = errors & ~SslPolicyErrors.RemoteCertificateChainErrors;
        if (others is not SslPolicyErrors.None)
            problems.Add($"{others}");
        if (others != errors)
            problems.AddRange(_authorities.Problems(certificate!, chain!).Select(problem => $"{problem}"));
        return problems.Count == 0 ? true : throw new CertificateRefusedException(string.Join(", ", problems));
    }

    private OciError ToError(HttpRequestMessage request, Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is AddressRefusedException refused)
            {
                // How names resolve here is not for everybody to know.
                return OciError.UpstreamFault(_place.Name, "leads outside AllowedNetworks") with
                {
                    OnlyForLog = $"{refused.Host} is {string.Join(", ", refused.Addresses)}",
                };
            }

            if (cause is CertificateRefusedException)
                return Fault(request, $"shows a certificate that is not trusted ({cause.Message})");
        }

        var reason = failure.GetBaseException();
        return (failure as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.InvalidResponse => Fault(request, "answers in something that is not HTTP"),
            HttpRequestError.ConfigurationLimitExceeded => Fault(request, "answers with too many headers"),
            HttpRequestError.ResponseEnded => Unavailable(request, "closed the connection without an answer"),
            HttpRequestError.SecureConnectionError => Unavailable(request, $"fails at TLS ({reason.Message})"),
            HttpRequestError.NameResolutionError => Unavailable(request, "has a name that cannot be resolved"),
            _ => Unavailable(request, reason switch
            {
                AuthenticationException => $"fails at TLS ({reason.Message})",
                SocketException socket => $"cannot be reached ({socket.SocketErrorCode})",
                _ => $"broke off ({reason.Message})",
            }),
        };
    }

    private OciError Fault(HttpRequestMessage request, string cause)
        => OciError.UpstreamFault(_place.Name, _place.At(request.RequestUri!) + cause);

    private OciError Unavailable(HttpRequestMessage request, string cause)
        => OciError.UpstreamUnavailable(_place.Name, _place.At(request.RequestUri!) + cause);

    private sealed class CertificateRefusedException(string message) : AuthenticationException(message);
}
