using System.Text.Json;
using static Registry.Web.Tests.Access.Credentials;

namespace Registry.Web.Tests.Access;

/// <summary>A registry in which <c>master</c> may do everything, and <c>alice</c> and <c>bob</c> may sign in.</summary>
public sealed class ManagedRegistry : IAsyncLifetime
{
    internal static readonly (string Name, string Value) Master = Basic("master", "master password");
    internal static readonly (string Name, string Value) Alice = Basic("alice", "alice password");
    internal static readonly (string Name, string Value) Bob = Basic("bob", "bob password");

    private static readonly string[] Actions = ["Pull", "Push", "Overwrite", "Delete", "Admin"];

    private readonly TemporaryFolder _folder = new();
    private RegistryFactory? _registry;

    public RegistryFactory Registry => _registry!;

    public RegistryClient Client => Registry.Client;

    public async Task InitializeAsync() => _registry = await StartAsync(_folder);

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)Registry).DisposeAsync();
        _folder.Dispose();
    }

    internal static async Task<RegistryFactory> StartAsync(TemporaryFolder folder, params (string Key, string? Value)[] settings)
    {
        var passwords = folder.Combine("htpasswd");
        await File.WriteAllLinesAsync(
            passwords,
            new[] { "master", "alice", "bob" }.Select(user => Htpasswd.Line(user, $"{user} password")));
        return await RegistryFactory.StartAsync(
            [
                ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", passwords),
                ("Access:Rules:0:Subject", "user:master"), ("Access:Rules:0:Repositories:0", "**"),
                .. Actions.Select((action, i) => ($"Access:Rules:0:Actions:{i}", (string?)action)),
                ("Access:Rules:1:Subject", "user:alice"), ("Access:Rules:1:Repositories:0", "alice/**"),
                ("Access:Rules:1:Actions:0", "Pull"), ("Access:Rules:1:Actions:1", "Push"),
                .. settings,
            ]);
    }

    internal async Task<string> NewRobotAsync()
    {
        var name = $"r{Guid.NewGuid():N}"[..20];
        (await Client.SendJsonAsync("POST", "/api/v1/robots", $$"""{ "name": "{{name}}" }""", Master)).Expect(201);
        return name;
    }

    /// <summary>A rule that counts by the time this returns.</summary>
    internal async Task<JsonElement> AllowAsync(string subject, string pattern, params string[] actions)
        => (await Client.SendJsonAsync(
            "POST", "/api/v1/rules",
            JsonSerializer.Serialize(new { subject, repositories = new[] { pattern }, actions }), Master)).Expect(201).Json;

    /// <returns>Its id and its secret.</returns>
    internal async Task<(string Id, string Secret)> NewTokenAsync(string path, (string, string) by, string body = "{}")
    {
        var made = (await Client.SendJsonAsync("POST", path, body, by)).Expect(201).Json;
        return (made.GetProperty("token").GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
    }

    internal async Task<(string, string)> BearerAsync((string, string) by, string scope)
        => Bearer((await Client.GetAsync($"/token?scope={Uri.EscapeDataString(scope)}", by)).Expect(200).Json.GetProperty("token").GetString()!);
}
