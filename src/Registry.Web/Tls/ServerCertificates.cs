using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Registry.Web.Tls;

/// <summary>
/// The certificates of the server's https listeners, chosen by the host name that a client asks for (SNI).
/// </summary>
internal sealed class ServerCertificates(TlsOptions options, TimeProvider time, ILogger<ServerCertificates> logger)
{
    private readonly CertificateFile[] _files
        = [.. options.Certificates.Select(settings => new CertificateFile(settings, time, logger))];

    /// <exception cref="FormatException">
    /// One of them cannot be used; the message names the key, its value and why.
    /// </exception>
    public void Open()
    {
        for (var i = 0; i < _files.Length; i++)
        {
            try
            {
                _files[i].Open();
            }
            catch (FormatException e)
            {
                throw new FormatException($"Registry:Tls:Certificates:{i}:{e.Message}", e);
            }
        }
    }

    /// <param name="host">Null or empty from a client that names none, as one that connects to an address.</param>
    public ServedCertificate For(string? host)
    {
        var (best, chosen) = (0, _files[0].Current());
        if (string.IsNullOrEmpty(host))
            return chosen;
        foreach (var file in _files)
        {
            var candidate = file.Current();
            if (candidate.Fit(host) is var fit && fit > best)
                (best, chosen) = (fit, candidate);
        }

        return chosen;
    }

    /// <summary>For Kestrel: asked at every handshake.</summary>
    public TlsHandshakeCallbackOptions ToHandshakes() => new()
    {
        OnConnection = context
            => ValueTask.FromResult<SslServerAuthenticationOptions>(For(context.ClientHelloInfo.ServerName).Handshake),
    };
}
