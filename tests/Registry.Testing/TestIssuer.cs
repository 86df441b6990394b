using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Registry.Testing;

/// <summary>
/// An issuer of tokens (OpenID Connect) on a loopback port, as CI systems and clusters have one. What it answers can be
/// changed at any time.
/// </summary>
public sealed class TestIssuer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Dictionary<string, AsymmetricAlgorithm> _keys = new(StringComparer.Ordinal);
    private int _requests;

    private TestIssuer(WebApplication application) => _application = application;

    public string Issuer { get; private set; } = "";

    /// <summary>How many requests have come.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>The ids of the keys that it publishes; all that it has when null.</summary>
    public IReadOnlyList<string>? Published { get; set; }

    /// <summary>Answers in its place; false lets it answer itself.</summary>
    public Func<HttpContext, Task<bool>> Instead { get; set; } = _ => Task.FromResult(false);

    public static async Task<TestIssuer> StartAsync(string path = "")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        var issuer = new TestIssuer(application);
        application.Run(issuer.AnswerAsync);
        await application.StartAsync();
        issuer.Issuer = RegistryFactory.AddressOf(application).ToString().TrimEnd('/') + path;
        issuer.Add("ec", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        issuer.Add("rsa", RSA.Create(2048));
        return issuer;
    }

    public void Add(string id, AsymmetricAlgorithm key)
    {
        lock (_keys)
            _keys.Add(id, key);
    }

    /// <summary>The claims, signed with that key.</summary>
    public string Sign(string claims, string key = "rsa")
    {
        AsymmetricAlgorithm found;
        lock (_keys)
            found = _keys[key];
        return found is ECDsa ec
            ? Jwt.Of($$"""{"alg":"ES256","typ":"JWT","kid":"{{key}}"}""", claims, Jwt.Es256(ec))
            : Jwt.Of($$"""{"alg":"RS256","typ":"JWT","kid":"{{key}}"}""", claims, Jwt.Rs256((RSA)found));
    }

    /// <summary>Its keys as a JWK set.</summary>
    public string KeySet()
    {
        lock (_keys)
        {
            return JsonSerializer.Serialize(new
            {
                keys = _keys.Where(key => Published?.Contains(key.Key) is not false).Select(key => Jwk(key.Key, key.Value)),
            });
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        lock (_keys)
        {
            foreach (var key in _keys.Values)
                key.Dispose();
        }
    }

    private static object Jwk(string id, AsymmetricAlgorithm key)
    {
        if (key is ECDsa ec)
        {
            var point = ec.ExportParameters(false).Q;
            return new
            {
                kty = "EC", crv = "P-256", use = "sig", alg = "ES256", kid = id,
                x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y),
            };
        }

        var rsa = ((RSA)key).ExportParameters(false);
        return new
        {
            kty = "RSA", use = "sig", alg = "RS256", kid = id,
            n = Base64Url.EncodeToString(rsa.Modulus), e = Base64Url.EncodeToString(rsa.Exponent),
        };
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        if (await Instead(context))
            return;
        var path = new Uri(Issuer).AbsolutePath.TrimEnd('/');
        if (context.Request.Path == $"{path}/.well-known/openid-configuration")
            await context.Response.WriteAsJsonAsync(new { issuer = Issuer, jwks_uri = $"{Issuer}/keys" });
        else if (context.Request.Path == $"{path}/keys")
            await context.Response.WriteAsync(KeySet());
        else
            context.Response.StatusCode = 404;
    }
}
