using System.Text.Json;

namespace Registry.Web.Tests.Admin;

/// <summary>The document describes what the admin API does, and nothing else that the server answers.</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class OpenApiTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private readonly RegistryClient _client = registry.Client;

    [Fact]
    public async Task The_document_has_the_admin_api_and_nothing_else()
    {
        var document = await GetAsync();
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("Registry admin API", document.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal(
            [
                "/api/v1/explain",
                "/api/v1/groups",
                "/api/v1/groups/{name}",
                "/api/v1/groups/{name}/members",
                "/api/v1/groups/{name}/members/{user}",
                "/api/v1/manifests",
                "/api/v1/registries",
                "/api/v1/repositories",
                "/api/v1/robots",
                "/api/v1/robots/{name}",
                "/api/v1/robots/{name}/tokens",
                "/api/v1/robots/{name}/tokens/{id}",
                "/api/v1/robots/{name}/tokens/{id}/rotate",
                "/api/v1/rules",
                "/api/v1/rules/{id}",
                "/api/v1/sessions",
                "/api/v1/tags",
                "/api/v1/tokens",
                "/api/v1/tokens/{id}",
                "/api/v1/tokens/{id}/rotate",
                "/api/v1/user/password",
                "/api/v1/users",
                "/api/v1/users/{name}",
            ],
            document.GetProperty("paths").EnumerateObject().Select(path => path.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("registries", "", "200 400 401")]
    [InlineData("repositories", "prefix n last", "200 400 401")]
    [InlineData("tags", "repository n last", "200 400 401 404")]
    [InlineData("manifests", "repository reference", "200 400 401 404")]
    public async Task Every_operation_is_described_with_its_parameters_and_answers(string path, string parameters, string answers)
    {
        var operation = (await GetAsync()).GetProperty("paths").GetProperty($"/api/v1/{path}").GetProperty("get");

        Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
        var described = operation.TryGetProperty("parameters", out var list) ? list.EnumerateArray().ToList() : [];
        Assert.Equal(parameters, string.Join(' ', described.Select(parameter => parameter.GetProperty("name").GetString())));
        Assert.All(described, parameter => Assert.Equal("query", parameter.GetProperty("in").GetString()));
        Assert.All(described, parameter => Assert.NotEmpty(parameter.GetProperty("description").GetString()!));
        Assert.Equal(answers, string.Join(' ', operation.GetProperty("responses").EnumerateObject().Select(answer => answer.Name).Order(StringComparer.Ordinal)));
        foreach (var answer in operation.GetProperty("responses").EnumerateObject())
        {
            var type = answer.Name == "200" ? "application/json" : "application/problem+json";
            Assert.Equal([type], answer.Value.GetProperty("content").EnumerateObject().Select(content => content.Name));
        }
    }

    [Theory]
    [InlineData("get", "users", "prefix enabled n last", "200 400 401 403")]
    [InlineData("post", "users", "", "201 400 401 403 409")]
    [InlineData("get", "users/{name}", "name", "200 400 401 403 404")]
    [InlineData("patch", "users/{name}", "name", "200 400 401 403 404 409 412")]
    [InlineData("delete", "users/{name}", "name", "204 400 401 403 404 409 412")]
    [InlineData("put", "user/password", "", "204 400 401 403 429")]
    [InlineData("get", "groups", "prefix n last", "200 400 401 403")]
    [InlineData("post", "groups", "", "201 400 401 403 409")]
    [InlineData("get", "groups/{name}", "name", "200 400 401 403 404")]
    [InlineData("patch", "groups/{name}", "name", "200 400 401 403 404 412")]
    [InlineData("delete", "groups/{name}", "name", "204 400 401 403 404 409 412")]
    [InlineData("get", "groups/{name}/members", "name n last", "200 400 401 403 404")]
    [InlineData("put", "groups/{name}/members/{user}", "name user", "204 400 401 403 404")]
    [InlineData("delete", "groups/{name}/members/{user}", "name user", "204 400 401 403 404 409")]
    public async Task What_changes_users_is_described_with_examples(string method, string path, string parameters, string answers)
    {
        var document = await GetAsync();
        var operation = document.GetProperty("paths").GetProperty($"/api/v1/{path}").GetProperty(method);

        Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
        var described = operation.TryGetProperty("parameters", out var list) ? list.EnumerateArray().ToList() : [];
        Assert.Equal(parameters, string.Join(' ', described.Select(parameter => parameter.GetProperty("name").GetString())));
        Assert.All(described, parameter => Assert.True(parameter.TryGetProperty("example", out _), parameter.ToString()));
        Assert.Equal(answers, string.Join(' ', operation.GetProperty("responses").EnumerateObject().Select(answer => answer.Name).Order(StringComparer.Ordinal)));
        if (operation.TryGetProperty("requestBody", out var body))
        {
            var schema = body.GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString()!;
            var members = document.GetProperty("components").GetProperty("schemas").GetProperty(schema.Split('/')[^1]).GetProperty("properties");
            Assert.All(members.EnumerateObject(), member => Assert.True(member.Value.TryGetProperty("example", out _), member.ToString()));
        }
    }

    [Fact]
    public async Task Whatever_can_be_sent_has_an_example()
    {
        var document = await GetAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var missing = new List<string>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var called = $"{operation.Name} {path.Name}";
                if (operation.Value.TryGetProperty("parameters", out var parameters))
                {
                    missing.AddRange(
                        from parameter in parameters.EnumerateArray()
                        where !parameter.TryGetProperty("example", out _)
                        select $"{called}: {parameter.GetProperty("name").GetString()}");
                }

                if (operation.Value.TryGetProperty("requestBody", out var body))
                {
                    var schema = body.GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString()!;
                    missing.AddRange(
                        from member in schemas.GetProperty(schema.Split('/')[^1]).GetProperty("properties").EnumerateObject()
                        where !member.Value.TryGetProperty("example", out _) && !Refers(member.Value)
                        select $"{called}: {member.Name} of the body");
                }
            }
        }

        Assert.Equal("", string.Join("\n", missing));

        // What another schema describes has its examples there.
        static bool Refers(JsonElement member)
            => member.TryGetProperty("$ref", out _)
                || (member.TryGetProperty("items", out var items) && items.TryGetProperty("$ref", out _));
    }

    [Theory]
    [InlineData("get", "robots", "n last", "200 400 401 403")]
    [InlineData("post", "robots", "", "201 400 401 403 409")]
    [InlineData("get", "robots/{name}", "name", "200 400 401 403 404")]
    [InlineData("patch", "robots/{name}", "name", "200 400 401 403 404 412")]
    [InlineData("delete", "robots/{name}", "name", "204 400 401 403 404 412")]
    [InlineData("get", "robots/{name}/tokens", "name n last", "200 400 401 403 404")]
    [InlineData("post", "robots/{name}/tokens", "name", "201 400 401 403 404")]
    [InlineData("get", "robots/{name}/tokens/{id}", "name id", "200 400 401 403 404")]
    [InlineData("post", "robots/{name}/tokens/{id}/rotate", "name id", "200 400 401 403 404 412")]
    [InlineData("delete", "robots/{name}/tokens/{id}", "name id", "204 400 401 403 404 412")]
    [InlineData("get", "tokens", "all n last", "200 400 401 403")]
    [InlineData("post", "tokens", "", "201 400 401 403")]
    [InlineData("get", "tokens/{id}", "id", "200 400 401 403 404")]
    [InlineData("post", "tokens/{id}/rotate", "id", "200 400 401 403 404 412")]
    [InlineData("delete", "tokens/{id}", "id", "204 400 401 403 404 412")]
    [InlineData("get", "rules", "n last", "200 400 401 403")]
    [InlineData("post", "rules", "", "201 400 401 403 409")]
    [InlineData("get", "rules/{id}", "id", "200 400 401 403 404")]
    [InlineData("put", "rules/{id}", "id", "200 400 401 403 404 409 412")]
    [InlineData("delete", "rules/{id}", "id", "204 400 401 403 404 409 412")]
    [InlineData("get", "explain", "repository action user robot group", "200 400 401 403 404")]
    [InlineData("get", "sessions", "principal", "200 400 401 403")]
    [InlineData("delete", "sessions", "principal", "200 400 401 403")]
    public async Task What_manages_access_is_described_and_says_that_it_needs_a_login(string method, string path, string parameters, string answers)
    {
        var operation = (await GetAsync()).GetProperty("paths").GetProperty($"/api/v1/{path}").GetProperty(method);

        Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
        var described = operation.TryGetProperty("parameters", out var list) ? list.EnumerateArray().ToList() : [];
        Assert.Equal(parameters, string.Join(' ', described.Select(parameter => parameter.GetProperty("name").GetString())));
        Assert.All(described, parameter => Assert.NotEmpty(parameter.GetProperty("description").GetString()!));
        Assert.Equal(answers, string.Join(' ', operation.GetProperty("responses").EnumerateObject().Select(answer => answer.Name).Order(StringComparer.Ordinal)));
        Assert.Equal(["basic"], Assert.Single(operation.GetProperty("security").EnumerateArray()).EnumerateObject().Select(scheme => scheme.Name));
    }

    [Fact]
    public async Task The_document_says_how_to_sign_in_and_where_it_is_not_needed()
    {
        var document = await GetAsync();
        var scheme = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("basic");
        Assert.Equal(("http", "basic"), (scheme.GetProperty("type").GetString(), scheme.GetProperty("scheme").GetString()));
        var optional = document.GetProperty("paths").GetProperty("/api/v1/repositories").GetProperty("get").GetProperty("security");
        Assert.Equal(["basic", ""], optional.EnumerateArray().Select(way => string.Join(' ', way.EnumerateObject().Select(member => member.Name))));
    }

    [Fact]
    public async Task Every_reference_leads_to_a_schema()
    {
        var document = await GetAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var references = ReferencesIn(document).Distinct().ToList();
        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.True(
            reference.StartsWith("#/components/schemas/", StringComparison.Ordinal)
                && schemas.TryGetProperty(reference["#/components/schemas/".Length..], out _),
            reference));
    }

    [Theory]
    [InlineData("repositories", "")]
    [InlineData("tags", "?repository={0}")]
    [InlineData("manifests", "?repository={0}&reference=v1")]
    [InlineData("registries", "")]
    public async Task An_answer_has_just_the_members_that_its_schema_has(string path, string query)
    {
        var repository = RegistryFactory.NewRepository();
        await _client.PushImageAsync(repository, "v1");
        var document = await GetAsync();
        var schema = document.GetProperty("paths").GetProperty($"/api/v1/{path}").GetProperty("get")
            .GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("schema");

        var answer = (await _client.GetAsync($"/api/v1/{path}{query.Replace("{0}", repository, StringComparison.Ordinal)}")).Expect(200);

        Assert.True(Compare(document, schema, answer.Json) > 0);
    }

    [Fact]
    public async Task A_page_shows_the_document()
    {
        var page = (await _client.GetAsync("/swagger/index.html")).Expect(200);
        Assert.StartsWith("text/html", page.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Contains("swagger-ui", page.Text, StringComparison.Ordinal);
        (await _client.GetAsync("/swagger")).Expect(301, 302);
        (await _client.GetAsync("/swagger/swagger-ui-bundle.js")).Expect(200);
        Assert.Contains("/swagger/registry/swagger.json", (await _client.GetAsync("/swagger/index.js")).Expect(200).Text + page.Text, StringComparison.Ordinal);
    }

    /// <summary>Compares the members of objects, all the way down; counts the objects it met.</summary>
    private static int Compare(JsonElement document, JsonElement schema, JsonElement value)
    {
        while (schema.TryGetProperty("$ref", out var reference))
            schema = document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1]);
        if (value.ValueKind == JsonValueKind.Array)
            return value.EnumerateArray().Sum(item => Compare(document, schema.GetProperty("items"), item));
        if (value.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("properties", out var properties))
            return 0;
        Assert.Equal(
            properties.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal),
            value.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));
        return 1 + value.EnumerateObject().Sum(property => Compare(document, properties.GetProperty(property.Name), property.Value));
    }

    private static IEnumerable<string> ReferencesIn(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(
            member => member.Name == "$ref" ? [member.Value.GetString()!] : ReferencesIn(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(ReferencesIn),
        _ => [],
    };

    private async Task<JsonElement> GetAsync() => (await _client.GetAsync("/swagger/registry/swagger.json")).Expect(200).Json;
}
