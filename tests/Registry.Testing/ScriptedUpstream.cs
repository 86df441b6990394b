using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Registry.Testing;

/// <summary>
/// A registry on a loopback port that does what a test tells it to: it serves images, wants tokens, and fails in any
/// way. Every request is kept. What is not routed is not there.
/// </summary>
public sealed class ScriptedUpstream : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, RequestDelegate> _routes = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();

    private ScriptedUpstream(WebApplication application) => _application = application;

    public Uri Address { get; private set; } = null!;

    /// <summary>As the setting of a proxy registry has it.</summary>
    public string Url => Address.ToString().TrimEnd('/');

    /// <summary>All that have come, in their order.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    /// <summary>Is asked before the routes; true when it has answered.</summary>
    public Func<HttpContext, Task<bool>> Gate { get; set; } = _ => Task.FromResult(false);

    /// <summary>The time of the tokens it gives, in seconds; it says nothing of it when null.</summary>
    public int? TokenSeconds { get; set; }

    /// <summary>The newest token; one that is set here is the only one that counts.</summary>
    public string Token { get; set; } = "token-0";

    /// <param name="certificate">With its key: then it is there by TLS alone.</param>
    /// <param name="listen">Where; 127.0.0.1 and a free port unless given.</param>
    public static async Task<ScriptedUpstream> StartAsync(X509Certificate2? certificate = null, IPEndPoint? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(listen ?? new(IPAddress.Loopback, 0), listener =>
        {
            if (certificate is not null)
                listener.UseHttps(certificate);
        }));
        var application = builder.Build();
        var upstream = new ScriptedUpstream(application);
        application.Run(upstream.AnswerAsync);
        await application.StartAsync();
        upstream.Address = RegistryFactory.AddressOf(application);
        return upstream;
    }

    /// <summary>How often a path was asked for.</summary>
    public int Count(string path) => _requests.Count(request => request.Path == path);

    /// <summary>What is answered at a path from now on.</summary>
    public void Route(string path, RequestDelegate answer) => _routes[path] = answer;

    /// <summary>One answer after the other; the last one for ever.</summary>
    public void Script(string path, params RequestDelegate[] answers)
    {
        var next = -1;
        Route(path, context => answers[Math.Min(Interlocked.Increment(ref next), answers.Length - 1)](context));
    }

    /// <summary>A small image, under a tag and by its digest.</summary>
    public ScriptedImage ServeImage(string repository, string tag)
    {
        var (config, layer) = (TestContent.Config(), TestContent.Layer(100_000));
        var manifest = ManifestBuilder.Image(config, layer).Build();
        ServeManifest(repository, manifest, tag);
        ServeBlob(repository, config);
        ServeBlob(repository, layer);
        return new(manifest, config, layer);
    }

    public void ServeManifest(string repository, TestContent manifest, params string[] tags)
    {
        foreach (var reference in tags.Append(manifest.Digest))
            Route(ManifestPath(repository, reference), Manifest(manifest));
    }

    public void ServeBlob(string repository, TestContent blob)
        => Route(BlobPath(repository, blob), Blob(blob));

    /// <summary>
    /// From now on only a token opens it, which is got at <c>/token</c>, with a user's password when there is one.
    /// </summary>
    /// <param name="realm">Where it says that tokens are; its own <c>/token</c> when null.</param>
    public void RequireToken(string? user = null, string? password = null, Uri? realm = null)
    {
        Gate = async context =>
        {
            if (context.Request.Path == "/token" || context.Request.Headers.Authorization == $"Bearer {Token}")
                return false;
            var repository = string.Join('/', context.Request.Path.Value!.Split('/')[2..^2]);
            await Challenge(
                $"Bearer realm=\"{realm ?? new Uri(Address, "/token")}\",service=\"scripted\","
                + $"scope=\"repository:{repository}:pull\"")(context);
            return true;
        };
        ServeTokens(user, password);
    }

    /// <summary>Gives tokens at <c>/token</c>.</summary>
    public void ServeTokens(string? user = null, string? password = null)
    {
        var given = 0;
        Route("/token", context =>
        {
            if (user is not null && context.Request.Headers.Authorization != BasicOf(user, password!))
                return Status(401)(context);
            Token = $"token-{Interlocked.Increment(ref given)}";
            return Json(TokenSeconds is { } seconds
                ? JsonSerializer.Serialize(new { token = Token, expires_in = seconds })
                : JsonSerializer.Serialize(new { access_token = Token }))(context);
        });
    }

    /// <summary>From now on only a user opens it.</summary>
    public void RequireBasic(string user, string password)
        => Gate = async context =>
        {
            if (context.Request.Headers.Authorization == BasicOf(user, password))
                return false;
            await Challenge("Basic realm=\"scripted, with a comma\"")(context);
            return true;
        };

    public static string ManifestPath(string repository, string reference) => $"/v2/{repository}/manifests/{reference}";

    public static string BlobPath(string repository, TestContent blob) => $"/v2/{repository}/blobs/{blob.Digest}";

    public static string ReferrersPath(string repository, TestContent subject)
        => $"/v2/{repository}/referrers/{subject.Digest}";

    public static string BasicOf(string user, string password)
        => "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:{password}"));

    /// <param name="digest">What it says in <c>Docker-Content-Digest</c>: nothing when it is empty.</param>
    public static RequestDelegate Manifest(TestContent manifest, string? digest = null)
        => context =>
        {
            context.Response.ContentType = manifest.MediaType;
            if (digest != "")
                context.Response.Headers["Docker-Content-Digest"] = digest ?? manifest.Digest;
            return Send(context, manifest.Bytes);
        };

    /// <param name="ranges">Whether a part is sent to who asks for one.</param>
    public static RequestDelegate Blob(TestContent blob, bool ranges = true)
        => context =>
        {
            var (response, bytes) = (context.Response, blob.Bytes.AsMemory());
            response.ContentType = "application/octet-stream";
            if (ranges && context.Request.GetTypedHeaders().Range?.Ranges.First().From is { } from)
            {
                response.StatusCode = 206;
                response.Headers.ContentRange = $"bytes {from}-{bytes.Length - 1}/{bytes.Length}";
                bytes = bytes[(int)from..];
            }

            return Send(context, bytes);
        };

    public static RequestDelegate Status(int status, string? header = null, string? value = null)
        => context =>
        {
            context.Response.StatusCode = status;
            if (header is not null)
                context.Response.Headers[header] = value;
            return Task.CompletedTask;
        };

    public static RequestDelegate Challenge(string challenge) => Status(401, "WWW-Authenticate", challenge);

    public static RequestDelegate Redirect(string location, int status = 307) => Status(status, "Location", location);

    public static RequestDelegate Json(string json, string type = "application/json")
        => context =>
        {
            context.Response.ContentType = type;
            return Send(context, System.Text.Encoding.UTF8.GetBytes(json));
        };

    /// <summary>Sends it without saying how long it is.</summary>
    public static RequestDelegate Unmeasured(TestContent content)
        => async context =>
        {
            context.Response.ContentType = content.MediaType;
            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await context.Response.StartAsync();
                await context.Response.Body.WriteAsync(content.Bytes);
            }
        };

    /// <summary>Breaks off after so many bytes.</summary>
    public static RequestDelegate Cut(TestContent content, int after)
        => async context =>
        {
            context.Response.ContentType = content.MediaType;
            context.Response.ContentLength = content.Bytes.Length;
            // The server closes the connection behind what was written; to abort it could lose that, too.
            await context.Response.Body.WriteAsync(content.Bytes.AsMemory(0, after));
        };

    /// <summary>Is silent after so many bytes, until who asked has gone.</summary>
    public static RequestDelegate Stall(TestContent content, int after)
        => async context =>
        {
            context.Response.ContentType = content.MediaType;
            context.Response.ContentLength = content.Bytes.Length;
            await context.Response.Body.WriteAsync(content.Bytes.AsMemory(0, after));
            await context.Response.Body.FlushAsync();
            await Silence(context);
        };

    /// <summary>Answers nothing until who asked has gone.</summary>
    public static async Task Silence(HttpContext context)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }

    /// <summary>Closes the connection without an answer.</summary>
    public static Task HangUp(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    /// <summary>Waits before it answers.</summary>
    public static RequestDelegate After(Task signal, RequestDelegate answer)
        => async context =>
        {
            await signal.WaitAsync(context.RequestAborted);
            await answer(context);
        };

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static async Task Send(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(bytes);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        _requests.Enqueue(new(
            request.Method, request.Path.Value ?? "", request.QueryString.Value ?? "",
            request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        if (await Gate(context))
            return;
        await _routes.GetValueOrDefault(request.Path.Value ?? "", Status(404))(context);
    }
}

/// <param name="Query">With its question mark; empty when there is none.</param>
public sealed record ReceivedRequest(
    string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers)
{
    public string? Authorization => Headers.GetValueOrDefault("Authorization");
}

public sealed record ScriptedImage(TestContent Manifest, TestContent Config, TestContent Layer);
