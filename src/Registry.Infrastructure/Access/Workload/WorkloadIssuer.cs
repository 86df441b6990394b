using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Jwt;
using Registry.Infrastructure.Outbound;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>One issuer of tokens as it is configured.</summary>
internal sealed class WorkloadIssuer : IDisposable
{
    /// <summary>How far the issuer's clock may be ahead of this one.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private readonly WorkloadSettings _settings;
    private readonly WorkloadClaims _claims;
    private readonly IIssuerKeys _keys;
    private readonly IStoredAccess _stored;
    private readonly TimeProvider _time;

    /// <param name="key">Where the settings stand.</param>
    public WorkloadIssuer(
        string key, WorkloadSettings settings, IStoredAccess stored, TimeProvider time, ILogger logger)
    {
        (_settings, _claims, _stored, _time) = (settings, new(settings), stored, time);
        _keys = string.IsNullOrEmpty(settings.KeysFile)
            ? new DiscoveredKeys(settings.Issuer, Allowed(settings), time, logger)
            : new KeysFile(key, settings.KeysFile, time, logger);
    }

    public string Issuer => _settings.Issuer;

    /// <inheritdoc cref="IIssuerKeys.Open"/>
    public void Open() => _keys.Open();

    /// <summary>Who shows the token, by the keys that are known already; null when that cannot be told yet.</summary>
    public Result<Principal>? Recall(string token)
    {
        if (_keys.Known is not { } known)
            return null;
        var unknown = false;
        var read = JsonWebToken.Read(token, id =>
        {
            JwtKey[] named = [.. known.Where(key => id is null || key.Id is null || key.Id == id)];
            unknown = named.Length == 0;
            return named;
        });
        return unknown ? null
            : read.TryGet(out var claims, out var errors) ? Judge(claims)
            : Result<Principal>.Refused(errors);
    }

    /// <summary>Who shows the token; looks for the issuer's keys where they are not known.</summary>
    public async Task<Result<Principal>> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        if (Recall(token) is { } known)
            return known;
        await _keys.LookAgainAsync(cancellationToken);
        return Recall(token)
            ?? (_keys.Known is null
                ? OciError.Unavailable($"keys of '{_settings.IdInForce()}'")
                : OciError.TokenInvalid("is signed by no key that its issuer has"));
    }

    public void Dispose() => _keys.Dispose();

    private Result<Principal> Judge(JsonElement claims)
    {
        if (JsonWebToken.Text(claims, "iss") != _settings.Issuer)
            return OciError.TokenInvalid("is another issuer's");
        if (!JsonWebToken.IsFor(claims, _settings.Audience))
            return OciError.TokenInvalid("is for another audience");
        var now = _time.GetUtcNow();
        if (JsonWebToken.Time(claims, "exp") is not { } expires)
            return OciError.TokenInvalid("has no end");
        if (now >= expires)
            return OciError.TokenInvalid("has expired");
        if (IsAhead("nbf") || IsAhead("iat"))
            return OciError.TokenInvalid("does not count yet");
        if (!_claims.ToPrincipal(claims, expires).TryGet(out var principal, out var errors))
            return Result<Principal>.Refused(errors);
        return _stored.Current.RevokedBefore.TryGetValue(principal.Name, out var revoked)
            && !(JsonWebToken.Time(claims, "iat") > revoked)
                ? OciError.TokenInvalid("was revoked")
                : principal;

        bool IsAhead(string name)
            => claims.TryGetProperty(name, out _)
                && !(JsonWebToken.Time(claims, name) <= now + Skew);
    }

    // Who writes an address, or this machine's name, means it.
    private static Predicate<IPAddress> Allowed(WorkloadSettings settings)
    {
        var issuer = new Uri(settings.Issuer);
        return settings.AllowPrivateAddress || issuer.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6
            ? _ => true
            : issuer.IsLoopback ? IPAddress.IsLoopback
            : AddressGuard.IsPublic;
    }
}
