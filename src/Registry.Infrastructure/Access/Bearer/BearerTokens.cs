using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Registry.Application.Access;
using Registry.Application.Access.Tokens;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Jwt;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Bearer;

/// <summary>Bearer tokens as they are signed and read again, and refresh tokens in the database.</summary>
/// <remarks>
/// What a token says: <c>sub</c> is the principal's name, <c>aud</c> the host that it is for, <c>access</c> the
/// repositories by name and by identity (Docker token specification), <c>account</c> where the principal is found, or
/// <c>subjects</c> what it is called where it cannot be found again; <c>iat</c> is as of when this node knew the
/// principal, so that a node which has not heard of a revocation yet issues nothing that outlives it.
/// </remarks>
internal sealed class BearerTokens(
    SigningKeys keys, RegistryDatabase database, AccessChanges changes, AccessOptions options, TimeProvider time)
    : ITokenIssuer
{
    public const string Issuer = "registry";

    /// <summary>Of one principal for one host; the oldest ends when there is another one.</summary>
    private const int MaxRefreshTokens = 1000;

    /// <summary>How far the clocks of two nodes may differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    public async Task<Result<BearerToken>> IssueAsync(TokenContent content, CancellationToken cancellationToken)
    {
        var key = await keys.CurrentAsync(cancellationToken);
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var left = content.Principal.Until - now;
        var lifetime = left is { } end && end < options.Tokens.Lifetime ? end : options.Tokens.Lifetime;
        var text = JsonWebToken.Sign(
            key.Id, key.Private, json => Write(
                json, content, content.Principal.KnownAt ?? changes.KnownAt, now, now + lifetime));
        return text.Length <= JsonWebToken.MaxLength
            ? new BearerToken(text, now, lifetime)
            : OciError.RequestInvalid(FormattableString.Invariant(
                $"The token would be longer than {JsonWebToken.MaxLength} characters: ask for fewer scopes."));
    }

    public async Task<string> IssueRefreshAsync(
        Principal principal, AccountReference account, string service, CancellationToken cancellationToken)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        await database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("DELETE FROM refresh_tokens WHERE expires_at < registry_now()");
                await session.ExecuteAsync(
                    """
                    DELETE FROM refresh_tokens WHERE secret_hash IN (
                        SELECT secret_hash FROM refresh_tokens WHERE principal = @principal AND service = @service
                        ORDER BY expires_at DESC, secret_hash LIMIT @every OFFSET @others)
                    """,
                    ("@principal", principal.Name),
                    ("@service", service),
                    ("@every", long.MaxValue),
                    ("@others", MaxRefreshTokens - 1L));
                return await session.ExecuteAsync(
                    """
                    INSERT INTO refresh_tokens
                        (secret_hash, principal, provider, account_key, account_mark, service, issued_at, expires_at)
                    VALUES (@hash, @principal, @provider, @key, @mark, @service, @issued, registry_now() + @lifetime)
                    """,
                    ("@hash", HashOf(secret)),
                    ("@principal", principal.Name),
                    ("@provider", account.Provider),
                    ("@key", account.Key),
                    ("@mark", account.Mark),
                    ("@service", service),
                    ("@issued", (principal.KnownAt ?? changes.KnownAt).ToUnixTimeMilliseconds()),
                    ("@lifetime", (long)options.Tokens.RefreshLifetime.TotalMilliseconds));
            },
            durable: true,
            cancellationToken);
        return secret;
    }

    public async Task<Result<RefreshedAccount>> FindRefreshAsync(
        string refreshToken, string service, CancellationToken cancellationToken)
    {
        var hash = HashOf(refreshToken);
        var found = await database.ReadAsync(
            async session =>
            {
                var command = session.Prepared(
                    """
                    SELECT t.principal, t.provider, t.account_key, t.account_mark FROM refresh_tokens t
                    WHERE t.secret_hash = @hash AND t.service = @service AND t.expires_at > registry_now()
                        AND NOT EXISTS (
                            SELECT 1 FROM revocations r
                            WHERE r.principal = t.principal AND r.revoked_before >= t.issued_at)
                    """,
                    ("@hash", hash),
                    ("@service", service));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                return await row.ReadAsync(cancellationToken)
                    ? new RefreshedAccount(
                        row.GetString(0), new(row.GetString(1), row.GetString(2), row.TextOrNull(3)))
                    : null;
            },
            cancellationToken);
        return found is not null ? found : OciError.TokenInvalid("is no refresh token that counts here");
    }

    public async Task<IReadOnlyList<PublishedKey>> PublishedKeysAsync(CancellationToken cancellationToken)
    {
        await keys.CurrentAsync(cancellationToken);
        await keys.LookAgainAsync(cancellationToken);
        return [.. keys.Known.Select(ToPublished)];
    }

    /// <summary>What a token says that this registry has signed and that counts now; refused otherwise.</summary>
    public async ValueTask<Result<ReadToken>> ReadAsync(string text, CancellationToken cancellationToken)
    {
        // Only a token that says to be signed with a key that is not known here, and that is one at all, makes it look.
        var unknown = false;
        var read = JsonWebToken.Read(text, id => KeysOf(id, out unknown));
        if (unknown && await keys.LookAgainAsync(cancellationToken))
            read = JsonWebToken.Read(text, id => KeysOf(id, out unknown));
        if (!read.TryGet(out var claims, out var errors))
            return Result<ReadToken>.Refused(errors);
        return ReadToken.Of(claims) is { } token && JsonWebToken.Text(claims, "iss") == Issuer
            ? token
            : OciError.TokenInvalid("says what no token of this registry says");
    }

    /// <summary>Why a token does not count now for this host; null when it does.</summary>
    public OciError? Judge(ReadToken token, string service)
    {
        var now = time.GetUtcNow();
        return now >= token.Expires ? OciError.TokenInvalid("has expired")
            : now < token.NotBefore - Skew ? OciError.TokenInvalid("does not count yet")
            : token.Service != service ? OciError.TokenInvalid("is for another service")
            : null;
    }

    private JwtKey[] KeysOf(string? id, out bool unknown)
    {
        JwtKey[] named = [.. keys.Known.Where(key => key.Id == id).Select(key => key.Public)];
        unknown = id is not null && named.Length == 0;
        return named;
    }

    private static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private static PublishedKey ToPublished(SigningKey key)
    {
        var point = key.Private.ExportParameters(includePrivateParameters: false).Q;
        return new(key.Id, Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }

    private static void Write(
        Utf8JsonWriter json, TokenContent content, DateTimeOffset known, DateTimeOffset now, DateTimeOffset end)
    {
        var principal = content.Principal;
        json.WriteString("iss", Issuer);
        json.WriteString("sub", principal.Name);
        json.WriteString("aud", content.Service);
        json.WriteNumber("iat", known.ToUnixTimeMilliseconds() / 1000m);
        json.WriteNumber("nbf", now.ToUnixTimeSeconds());
        json.WriteNumber("exp", end.ToUnixTimeSeconds());
        json.WriteString("jti", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        if (principal.Account is { } account)
        {
            json.WriteStartObject("account");
            json.WriteString("provider", account.Provider);
            json.WriteString("key", account.Key);
            if (account.Mark is not null)
                json.WriteString("mark", account.Mark);
            json.WriteEndObject();
        }
        else
        {
            json.WriteStartArray("subjects");
            foreach (var subject in principal.Subjects)
                json.WriteStringValue(subject.Text);
            json.WriteEndArray();
        }

        json.WriteStartArray("access");
        foreach (var access in content.Access)
        {
            json.WriteStartObject();
            json.WriteString("type", "repository");
            json.WriteString("name", access.Name.Value);
            json.WriteString("registry", access.Repository.Registry.Value);
            json.WriteString("repository", access.Repository.Name.Value);
            json.WriteStartArray("actions");
            foreach (var action in access.Actions)
                json.WriteStringValue(action.ToString().ToLowerInvariant());
            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (content.Lists)
        {
            json.WriteStartObject();
            json.WriteString("type", "registry");
            json.WriteString("name", "catalog");
            json.WriteStartArray("actions");
            json.WriteStringValue("*");
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
