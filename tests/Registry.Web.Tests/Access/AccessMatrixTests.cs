using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Registry.Web.Tests.Access;

/// <summary>
/// Every route of the application, as routing knows them, asked by every kind of caller: who is refused, and how.
/// A route that <see cref="Rights"/> does not have fails. (S-1)
/// </summary>
public sealed class AccessMatrixTests : IAsyncLifetime
{
    private const string Repository = "matrix/a";

    /// <summary>What each route needs.</summary>
    private static readonly Dictionary<string, Right> Rights = new(StringComparer.Ordinal)
    {
        ["GET /v2"] = Right.SignIn,
        ["HEAD /v2"] = Right.SignIn,
        ["GET /v2/_catalog"] = Right.List,
        ["HEAD /v2/_catalog"] = Right.List,
        ["GET /v2/tags/list"] = Right.List,
        ["HEAD /v2/tags/list"] = Right.List,
        ["GET /v1/search"] = Right.List,
        ["HEAD /v1/search"] = Right.List,
        ["GET /v2/{name}/tags/list"] = Right.Pull,
        ["HEAD /v2/{name}/tags/list"] = Right.Pull,
        ["GET /v2/{name}/referrers/{digest}"] = Right.Pull,
        ["HEAD /v2/{name}/referrers/{digest}"] = Right.Pull,
        ["GET /v2/{name}/manifests/{reference}"] = Right.Pull,
        ["HEAD /v2/{name}/manifests/{reference}"] = Right.Pull,
        ["PUT /v2/{name}/manifests/{reference}"] = Right.Push,
        ["DELETE /v2/{name}/manifests/{reference}"] = Right.Delete,
        ["GET /v2/{name}/blobs/{digest}"] = Right.Pull,
        ["HEAD /v2/{name}/blobs/{digest}"] = Right.Pull,
        ["DELETE /v2/{name}/blobs/{digest}"] = Right.Delete,
        ["POST /v2/{name}/blobs/uploads"] = Right.Push,
        ["GET /v2/{name}/blobs/uploads/{id}"] = Right.Push,
        ["HEAD /v2/{name}/blobs/uploads/{id}"] = Right.Push,
        ["PATCH /v2/{name}/blobs/uploads/{id}"] = Right.Push,
        ["PUT /v2/{name}/blobs/uploads/{id}"] = Right.Push,
        ["DELETE /v2/{name}/blobs/uploads/{id}"] = Right.Push,
        ["GET /token"] = Right.NoToken,
        ["POST /token"] = Right.None,
        ["GET /token/keys"] = Right.None,
        ["GET /healthz/live"] = Right.Unwatched,
        ["HEAD /healthz/live"] = Right.Unwatched,
        ["GET /healthz/startup"] = Right.Unwatched,
        ["HEAD /healthz/startup"] = Right.Unwatched,
        ["GET /healthz/ready"] = Right.Unwatched,
        ["HEAD /healthz/ready"] = Right.Unwatched,
        ["GET /metrics"] = Right.Unwatched,
        ["HEAD /metrics"] = Right.Unwatched,
        ["GET /api/v1/registries"] = Right.List,
        ["GET /api/v1/repositories"] = Right.List,
        ["GET /api/v1/tags"] = Right.List,
        ["GET /api/v1/manifests"] = Right.List,
        ["GET /api/v1/users"] = Right.Admin,
        ["POST /api/v1/users"] = Right.Admin,
        ["GET /api/v1/users/{name}"] = Right.Admin,
        ["PATCH /api/v1/users/{name}"] = Right.Admin,
        ["DELETE /api/v1/users/{name}"] = Right.Admin,
        ["GET /api/v1/groups"] = Right.Admin,
        ["POST /api/v1/groups"] = Right.Admin,
        ["GET /api/v1/groups/{name}"] = Right.Admin,
        ["PATCH /api/v1/groups/{name}"] = Right.Admin,
        ["DELETE /api/v1/groups/{name}"] = Right.Admin,
        ["GET /api/v1/groups/{name}/members"] = Right.Admin,
        ["PUT /api/v1/groups/{name}/members/{user}"] = Right.Admin,
        ["DELETE /api/v1/groups/{name}/members/{user}"] = Right.Admin,
        ["PUT /api/v1/user/password"] = Right.User,
        ["GET /api/v1/robots"] = Right.Admin,
        ["POST /api/v1/robots"] = Right.Admin,
        ["GET /api/v1/robots/{name}"] = Right.Admin,
        ["PATCH /api/v1/robots/{name}"] = Right.Admin,
        ["DELETE /api/v1/robots/{name}"] = Right.Admin,
        ["GET /api/v1/robots/{name}/tokens"] = Right.Admin,
        ["POST /api/v1/robots/{name}/tokens"] = Right.Admin,
        ["GET /api/v1/robots/{name}/tokens/{id}"] = Right.Admin,
        ["POST /api/v1/robots/{name}/tokens/{id}/rotate"] = Right.Admin,
        ["DELETE /api/v1/robots/{name}/tokens/{id}"] = Right.Admin,
        ["GET /api/v1/tokens"] = Right.User,
        ["POST /api/v1/tokens"] = Right.User,
        ["GET /api/v1/tokens/{id}"] = Right.User,
        ["POST /api/v1/tokens/{id}/rotate"] = Right.User,
        ["DELETE /api/v1/tokens/{id}"] = Right.User,
        ["GET /api/v1/rules"] = Right.Admin,
        ["POST /api/v1/rules"] = Right.Admin,
        ["GET /api/v1/rules/{id}"] = Right.Admin,
        ["PUT /api/v1/rules/{id}"] = Right.Admin,
        ["DELETE /api/v1/rules/{id}"] = Right.Admin,
        ["GET /api/v1/explain"] = Right.Admin,
        ["GET /api/v1/sessions"] = Right.User,
        ["DELETE /api/v1/sessions"] = Right.User,
    };

    private readonly TemporaryFolder _folder = new();
    private RegistryFactory? _registry;

    private enum Right
    {
        /// <summary>For everybody; wrong credentials are not even looked at.</summary>
        Unwatched,

        /// <summary>For everybody who shows no wrong credentials.</summary>
        None,

        /// <summary>As <see cref="None"/>, but for who shows a token.</summary>
        NoToken,

        SignIn,
        List,
        Pull,
        Push,
        Delete,

        /// <summary>For who shows credentials, and no token in their place.</summary>
        User,

        Admin,
    }

    public async Task InitializeAsync()
    {
        var passwords = Path.Combine(_folder.Path, "htpasswd");
        string[] users = ["nobody", "puller", "pusher", "deleter", "master"];
        await File.WriteAllLinesAsync(passwords, users.Select(user => Htpasswd.Line(user, $"{user} password")));
        _registry = await RegistryFactory.StartAsync(
        [
            ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", passwords),
            .. Rule(0, "puller", "matrix/**", "Pull"), .. Rule(1, "pusher", "matrix/**", "Pull", "Push"),
            .. Rule(2, "deleter", "matrix/**", "Delete"), .. Rule(3, "master", "**", "Admin"),
        ]);
    }

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)_registry!).DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void Every_route_is_in_the_matrix_and_nothing_else()
        => Assert.Equal(Rights.Keys.Order(StringComparer.Ordinal), Routes().Select(route => route.Key).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("anonymous")]
    [InlineData("wrong password")]
    [InlineData("wrong token")]
    [InlineData("nobody")]
    [InlineData("puller")]
    [InlineData("pusher")]
    [InlineData("deleter")]
    [InlineData("master")]
    [InlineData("token to pull")]
    [InlineData("token to push elsewhere")]
    public async Task Each_caller_is_refused_where_it_has_no_right_and_nowhere_else(string caller)
    {
        var credentials = await CredentialsAsync(caller);
        var problems = new StringBuilder();
        foreach (var (key, method, path) in Routes())
        {
            var answer = await _registry!.Client.SendAsync(method, path, method is "GET" or "HEAD" or "DELETE" ? null : [], credentials);
            var refused = answer.Status is 401 or 403 or 429;
            var expected = Expected(caller, Rights.GetValueOrDefault(key, Right.Admin));
            if (caller == "wrong password" && answer.Status == 429)
                continue; // after some of them, passwords are not even looked at
            if (refused ? answer.Status != expected : expected is not null || answer.Status >= 500)
                problems.AppendLine($"{key} by {caller}: {answer.Status}, expected {expected?.ToString() ?? "no refusal"}");
            if ((answer.Status == 401) != answer.Headers.Any(header => header.Key == "WWW-Authenticate"))
                problems.AppendLine($"{key} by {caller}: a challenge belongs to a 401, and to nothing else");
        }

        Assert.Equal("", problems.ToString());
    }

    /// <summary>The status of the refusal; null where there is none.</summary>
    private static int? Expected(string caller, Right right)
    {
        if (right is Right.Unwatched)
            return null;
        switch (caller)
        {
            case "wrong password" or "wrong token":
                return 401;
            case "anonymous":
                return right is Right.None or Right.NoToken ? null : 401;
            case "token to pull":
                return right is Right.None or Right.SignIn or Right.Pull ? null : 401;
            case "token to push elsewhere":
                return right is Right.None or Right.SignIn ? null : 401;
        }

        var allowed = right is Right.None or Right.NoToken or Right.SignIn or Right.List or Right.User
            || (caller, right) is ("puller" or "pusher", Right.Pull) or ("pusher", Right.Push)
                or ("deleter", Right.Delete) or ("master", Right.Admin);
        return allowed ? null : 403;
    }

    private IEnumerable<(string Key, string Method, string Path)> Routes()
        => from endpoint in _registry!.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           let template = "/" + endpoint.RoutePattern.RawText!.TrimStart('/')
           from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
           select ($"{method} {template}", method, PathOf(template));

    private static string PathOf(string template)
    {
        var path = template.StartsWith("/v2/", StringComparison.Ordinal)
            ? template.Replace("{name}", Repository, StringComparison.Ordinal)
            : template.Replace("{name}", "unknown", StringComparison.Ordinal);
        return path.Replace("{reference}", "v1", StringComparison.Ordinal)
            .Replace("{digest}", $"sha256:{new string('a', 64)}", StringComparison.Ordinal)
            .Replace("{id}", Guid.NewGuid().ToString(), StringComparison.Ordinal)
            .Replace("{user}", "unknown", StringComparison.Ordinal);
    }

    private async Task<(string, string)[]> CredentialsAsync(string caller) => caller switch
    {
        "anonymous" => [],
        "wrong password" => [Basic("puller", "another")],
        "wrong token" => [("Authorization", "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA")],
        "token to pull" => [await TokenAsync("pusher", $"repository:{Repository}:pull")],
        "token to push elsewhere" => [await TokenAsync("pusher", "repository:matrix/b:pull,push")],
        _ => [Basic(caller, $"{caller} password")],
    };

    private async Task<(string, string)> TokenAsync(string user, string scope)
    {
        var answer = await _registry!.Client.GetAsync(
            $"/token?scope={Uri.EscapeDataString(scope)}", Basic(user, $"{user} password"));
        return ("Authorization", $"Bearer {answer.Expect(200).Json.GetProperty("token").GetString()}");
    }

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");

    private static (string, string?)[] Rule(int number, string user, string pattern, params string[] actions)
        =>
        [
            ($"Access:Rules:{number}:Subject", $"user:{user}"), ($"Access:Rules:{number}:Repositories:0", pattern),
            .. actions.Select((action, i) => ($"Access:Rules:{number}:Actions:{i}", (string?)action)),
        ];
}
