using System.Text;
using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Registry.Application.Access;
using Registry.Application.Access.Tokens;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Access;

/// <summary>
/// Where clients get bearer tokens (Docker token specification; OAuth2 with the grants <c>password</c> and
/// <c>refresh_token</c>). Everybody may ask: a token gives nothing that its holder may not do anyway.
/// </summary>
[PublicEndpoint, ApiExplorerSettings(IgnoreApi = true)]
public sealed class TokenController(IMediator mediator, CredentialCheck credentials) : ControllerBase
{
    private const int MaxFormBytes = 8192;

    [HttpGet("/token")]
    public Task<IActionResult> Get(CancellationToken cancellationToken)
        => IssueAsync(
            RequestPrincipal.Of(HttpContext),
            [.. Request.Query["scope"]],
            withRefresh: string.Equals(Request.Query["offline_token"], "true", StringComparison.OrdinalIgnoreCase),
            refreshToken: null,
            cancellationToken);

    [HttpPost("/token"), UnreadForm]
    public async Task<IActionResult> Post(CancellationToken cancellationToken)
    {
        if (!(await ReadFormAsync(cancellationToken)).TryGet(out var form, out var errors))
            return OciErrorResult.From(errors);
        string Field(string name) => form.TryGetValue(name, out var value) ? value.ToString() : "";

        var refreshToken = Field("refresh_token");
        var principal = Field("grant_type") switch
        {
            "password" => await credentials.VerifyAsync(
                Field("username"), Field("password"), HttpContext.Connection.RemoteIpAddress, cancellationToken),
            "refresh_token" => await mediator.Send(
                new FindRefreshedQuery(refreshToken, Access.Challenge.ServiceOf(Request)), cancellationToken),
            var other => OciError.RequestInvalid(
                $"grant_type is '{OciError.Shorten(other)}', it must be password or refresh_token."),
        };
        if (!principal.TryGet(out var caller, out errors))
            return OciErrorResult.From(errors);
        // Those of the header were counted before it was known what the form shows.
        if (HttpContext.RequestServices.GetRequiredService<PrincipalLimiter>().Refuse(caller) is { } refusal)
            return OciErrorResult.From(refusal);
        return await IssueAsync(
            caller, [Field("scope")], withRefresh: Field("access_type") == "offline" && refreshToken.Length == 0,
            refreshToken.Length > 0 ? refreshToken : null, cancellationToken);
    }

    /// <summary>The public keys of the tokens, as a JWK set (RFC 7517).</summary>
    [HttpGet("/token/keys")]
    public async Task<IActionResult> Keys(CancellationToken cancellationToken)
    {
        var published = await mediator.Send(new ListPublishedKeysQuery(), cancellationToken);
        return published.Match(
            keys => Ok(new JwkSet([.. keys.Select(Jwk.Of)])),
            OciErrorResult.From);
    }

    private async Task<IActionResult> IssueAsync(
        Principal principal, IReadOnlyList<string?> scopes, bool withRefresh, string? refreshToken,
        CancellationToken cancellationToken)
    {
        var separate = scopes.SelectMany(text => (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var issued = await mediator.Send(
            new IssueTokenCommand(
                principal, Request.RequestedHost(), Request.Query["ns"], Access.Challenge.ServiceOf(Request),
                [.. separate], withRefresh),
            cancellationToken);
        Response.Headers.CacheControl = "no-store";
        return issued.Match(
            answer => Ok(TokenModel.Of(answer.Token, answer.RefreshToken ?? refreshToken)),
            OciErrorResult.From);
    }

    // Read here, within its own bounds: the framework would take a form of any size, to disk if need be.
    private async Task<Result<Dictionary<string, Microsoft.Extensions.Primitives.StringValues>>> ReadFormAsync(
        CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(Request.ContentType, out var type)
            || !type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            return OciError.RequestInvalid("The body must be a form (application/x-www-form-urlencoded).");
        var buffer = new byte[MaxFormBytes + 1];
        var length = await Request.Body.ReadAtLeastAsync(
            buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > MaxFormBytes)
            return OciError.FormTooLarge(MaxFormBytes);
        using var reader = new FormReader(Encoding.UTF8.GetString(buffer, 0, length));
        try
        {
            return await reader.ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException)
        {
            return OciError.RequestInvalid("The form cannot be read.");
        }
    }
}

/// <summary>A token as clients of either grant expect it.</summary>
internal sealed record TokenModel(
    [property: JsonPropertyName("token")] string Token,
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] long ExpiresIn,
    [property: JsonPropertyName("issued_at")] DateTimeOffset IssuedAt,
    [property: JsonPropertyName("refresh_token"),
        JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RefreshToken)
{
    public static TokenModel Of(BearerToken token, string? refreshToken)
        => new(token.Text, token.Text, "Bearer", (long)token.Lifetime.TotalSeconds, token.IssuedAt, refreshToken);
}

internal sealed record JwkSet([property: JsonPropertyName("keys")] IReadOnlyList<Jwk> Keys);

internal sealed record Jwk(
    [property: JsonPropertyName("kty")] string Kty,
    [property: JsonPropertyName("crv")] string Crv,
    [property: JsonPropertyName("use")] string Use,
    [property: JsonPropertyName("alg")] string Alg,
    [property: JsonPropertyName("kid")] string Kid,
    [property: JsonPropertyName("x")] string X,
    [property: JsonPropertyName("y")] string Y)
{
    public static Jwk Of(PublishedKey key) => new("EC", "P-256", "sig", "ES256", key.Id, key.X, key.Y);
}
