using System.Text;

namespace Registry.Web.Tests.Access;

/// <summary>What clients show.</summary>
internal static class Credentials
{
    /// <summary>The header of a user and password.</summary>
    public static (string Name, string Value) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");

    public static (string Name, string Value) Bearer(string token) => ("Authorization", $"Bearer {token}");

    /// <summary>The user that the first start of that registry has made.</summary>
    public static (string Name, string Value) AdminOf(RegistryFactory registry)
        => Basic("admin", File.ReadAllText(Path.Combine(registry.Data, "initial-admin-password")).Trim());

    /// <summary>Sends a JSON document.</summary>
    public static Task<Answer> SendJsonAsync(
        this RegistryClient client, string method, string path, string json, params (string Name, string Value)[] headers)
        => client.SendAsync(method, path, Encoding.UTF8.GetBytes(json), [("Content-Type", "application/json"), .. headers]);
}
