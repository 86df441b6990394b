using System.Globalization;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.PostgreSql;

/// <summary>The server as it is shipped, told by its configuration alone to keep its metadata elsewhere.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class ServeTests : IDisposable
{
    private readonly WorkFolder _folder = new("postgresql-serve");

    public void Dispose() => _folder.Dispose();

    [PostgreSqlFact]
    public async Task Secrets_in_files_are_all_it_takes_and_no_data_folder_is_made()
    {
        await ConfigureAsync();
        for (var start = 0; start < 2; start++)
        {
            await using var server = await StartAsync();
            if (start == 0)
                await server.Client.PushImageAsync("team/app", "v1");
            (await server.Client.GetAsync("/v2/team/app/manifests/v1")).Expect(200);
            Assert.Contains("db_client_", (await server.Client.GetAsync("/metrics")).Expect(200).Text, StringComparison.Ordinal);
            await server.StopAsync();
        }

        Assert.False(Directory.Exists(_folder.File("data")));
    }

    [PostgreSqlFact]
    public async Task A_wrong_password_is_refused_in_one_line_that_does_not_tell_it()
    {
        await ConfigureAsync();
        var place = await File.ReadAllTextAsync(_folder.File("secret"));
        await File.WriteAllTextAsync(_folder.File("secret"), place.Replace(PostgreSqlProcess.Password, "wrong guess", StringComparison.Ordinal));

        var result = await ServerProcess.RunAsync(_folder, environment: null, "--config", "settings.json");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("registry: The database server ", result.Error, StringComparison.Ordinal);
        Assert.Equal(result.Error.Length - 1, result.Error.IndexOf('\n', StringComparison.Ordinal)); // one line
        Assert.Contains("Registry:Database:ConnectionString", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong guess", result.Error + result.Output, StringComparison.Ordinal);
    }

    private async Task ConfigureAsync()
    {
        await File.WriteAllTextAsync(_folder.File("secret"), await SharedPostgreSql.UseSchemaAsync($"serve_{Guid.NewGuid():N}") + "\n");
        await File.WriteAllTextAsync(_folder.File("first-password"), "a first password\n");
        await File.WriteAllTextAsync(
            _folder.File("settings.json"),
            """
            { "Registry": {
                "Access": { "Anonymous": "Push", "Admin": { "PasswordFile": "first-password" } },
                "Database": { "Kind": "PostgreSql", "ConnectionStringFile": "secret" },
                "Stores": { "default": { "Root": "elsewhere" } } } }
            """);
    }

    private Task<ServerProcess> StartAsync()
    {
        var port = LoopbackPort.Free();
        return ServerProcess.StartAsync(
            _folder, ServerProcess.At(port), environment: null, "--config", "settings.json", "--port", port.ToString(CultureInfo.InvariantCulture));
    }
}
