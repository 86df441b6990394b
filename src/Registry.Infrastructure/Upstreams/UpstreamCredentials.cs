using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Application.Registries;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access;

namespace Registry.Infrastructure.Upstreams;

/// <summary>The user that an upstream is asked as.</summary>
internal sealed class UpstreamCredentials
{
    private const int MaxFileBytes = 64 * 1024; // some tokens are long

    private readonly string? _username;
    private readonly string? _password;
    private readonly WatchedFile<string>? _file;

    /// <param name="key">Where the settings stand.</param>
    public UpstreamCredentials(string key, RegistrySettings settings, TimeProvider time, ILogger logger)
    {
        (_username, _password, Refused) = (settings.Username, settings.Password, new(time));
        if (!string.IsNullOrEmpty(settings.PasswordFile))
        {
            _file = new(
                $"{key}:PasswordFile", settings.PasswordFile,
                "name a file that the server's user may read, with the password of the upstream's user", MaxFileBytes,
                content => Encoding.UTF8.GetString(content).TrimEnd('\r', '\n'), _ => "a password", time, logger);
        }
    }

    /// <summary>Those that the upstream, or its token server, has refused whatever they were shown for.</summary>
    public RefusedCredentials Refused { get; }

    /// <summary>Name and password as they are now (RFC 7617); null when the upstream is asked as nobody.</summary>
    public AuthenticationHeaderValue? Current
        => string.IsNullOrEmpty(_username)
            ? null
            : new("Basic", Convert.ToBase64String(
                Encoding.UTF8.GetBytes($"{_username}:{_file?.Current ?? _password}")));

    /// <param name="upstream">Its host.</param>
    public static OciError RefusedBy(string upstream)
        => OciError.UpstreamFault(upstream, "refuses the user's credentials (Username)");

    /// <exception cref="StartRefusedException">The file cannot be used.</exception>
    public void Open() => _file?.Open();
}
