using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Commands;

/// <summary>What cannot be served is refused in one line that says what to change.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class RefusedStartTests : IDisposable
{
    private readonly WorkFolder _folder = new("refused");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_port_that_is_in_use()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await RefuseAsync([port, "in use", "--port"], "--port", port);
    }

    [Fact]
    public async Task An_address_that_is_not_this_machines()
        => await RefuseAsync(["http://192.0.2.1:5999", "--listen"], "--listen", "192.0.2.1", "--port", "5999", "--anonymous", "none");

    [Fact]
    public async Task A_data_folder_that_is_a_file()
    {
        await File.WriteAllTextAsync(_folder.File("data"), "");
        await RefuseAsync(["'data'", "--data", "Registry:Data"], "--data", "data");
    }

    [Fact]
    public async Task A_data_folder_that_another_process_holds()
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--data", "shared");
        await RefuseAsync(["'shared'", "in use", "--data"], "--data", "shared", "--port", "0");
        (await server.Client.GetAsync("/healthz/ready")).Expect(200);
    }

    [Fact]
    public async Task A_store_that_another_process_holds()
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--data", "first");
        await RefuseConfiguredAsync(
            """{ "Data": "second", "Stores": { "default": { "Root": "first/blobs" } } }""",
            ["Registry:Stores:default:Root", "first/blobs", "in use"]);
    }

    [Fact]
    public async Task A_store_whose_disk_is_not_there()
    {
        await using (var server = await ServerProcess.StartAsync(_folder))
        {
            await server.Client.PushImageAsync("team/app", "v1");
            await server.StopAsync();
        }

        Directory.Move(_folder.File("data/blobs"), _folder.File("unmounted"));
        await RefuseAsync(["Registry:Stores:default:Root", "data/blobs", "Mount the disk"], "--port", "0");

        Directory.Move(_folder.File("unmounted"), _folder.File("data/blobs"));
        await using var again = await ServerProcess.StartAsync(_folder);
        (await again.Client.GetAsync("/v2/team/app/manifests/v1")).Expect(200);
    }

    [Fact]
    public async Task A_store_that_holds_another_registrys_data()
    {
        _folder.Folder("data/blobs/docker/registry/v2/blobs");
        await RefuseAsync(["Registry:Stores:default:Root", "data/blobs", "another registry"], "--port", "0");
    }

    [Fact]
    public async Task A_path_that_would_hide_stored_repositories()
    {
        await using (var server = await ServerProcess.StartAsync(_folder))
        {
            await server.Client.PushImageAsync("mirror/app", "v1");
            await server.StopAsync();
        }

        await RefuseConfiguredAsync(
            """{ "Registries": { "default": {}, "hub": { "Path": "mirror" } } }""", ["Registry:Registries:hub:Path", "'mirror'", "mirror/app"]);
    }

    [Theory]
    [InlineData("everything")]
    [InlineData("1")]
    [InlineData("")]
    public async Task An_access_for_everybody_that_there_is_not(string value)
        => await RefuseAsync(["Registry:Access:Anonymous", $"'{value}'", "None, Pull, Push"], "--anonymous", value);

    [Theory]
    [InlineData("*")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public async Task A_listener_for_other_machines_while_nothing_says_what_they_may_do(string address) // S-24
        => await RefuseAsync(["Registry:Listen", address, "Registry:Access:Anonymous", "None, Pull or Push"], "--listen", address);

    [Theory]
    [InlineData("example.com")]
    [InlineData("300.1.1.1")]
    [InlineData("a b")]
    [InlineData("localhost:80")]
    [InlineData("")]
    public async Task An_address_that_is_none(string address)
        => await RefuseAsync(["Registry:Listen", address, "http://localhost:5000"], "--listen", address, "--anonymous", "none");

    [Theory]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("65536")]
    [InlineData("0x50")]
    public async Task A_port_that_is_none(string port)
        => await RefuseAsync(["--port", $"'{port}'", "0 to 65535"], $"--port={port}");

    [Theory]
    [InlineData("--colour")]
    [InlineData("serve", "--colour")]
    [InlineData("dance")]
    [InlineData("--port")]
    public async Task A_command_line_that_makes_no_sense(params string[] arguments)
        => await RefuseAsync([arguments[^1], "--help"], arguments);

    [Fact]
    public async Task A_configuration_file_that_is_not_there()
        => await RefuseAsync([_folder.File("none.json"), "--config"], "--config", "none.json");

    [Theory]
    [InlineData("""{ "Registry": { "Data": """)]
    [InlineData("""{ "Registry": { "Data": "a", "data": "b" } }""")]
    [InlineData("[1]")]
    [InlineData("")]
    [InlineData("no JSON")]
    public async Task A_configuration_file_that_is_broken(string content)
    {
        await File.WriteAllTextAsync(_folder.File("broken.json"), content);
        await RefuseAsync(["configuration cannot be read", _folder.File("broken.json")], "--config", "broken.json");
    }

    [Theory]
    [InlineData("""{ "Colour": "blue" }""", "Registry:Colour", "Data, Listen, Stores")]
    [InlineData("""{ "Uploads": { "Expires": "1" } }""", "Registry:Uploads:Expires", "Registry:Uploads knows Expiry")]
    [InlineData("""{ "Stores": { "default": { "Folder": "x" } } }""", "Registry:Stores:default:Folder", "Root")]
    [InlineData("""{ "Uploads": { "Expiry": "tomorrow" } }""", "Registry:Uploads:Expiry", "'tomorrow'", "00:30:00")]
    [InlineData("""{ "Uploads": { "Expiry": "24:00:00" } }""", "Registry:Uploads:Expiry", "'24:00:00'", "1.00:00:00")]
    [InlineData("""{ "Uploads": { "Expiry": "5" } }""", "Registry:Uploads:Expiry", "'5'", "00:30:00")]
    [InlineData("""{ "Listen": [ "http://*.example.com:5000" ] }""", "Registry:Listen", "http://*.example.com:5000", "http://*:5000")]
    [InlineData("""{ "Uploads": { "Expiry": "" } }""", "Registry:Uploads:Expiry", "''", "00:30:00")]
    [InlineData("""{ "Uploads": { "Expiry": "00:00:00" } }""", "Registry:Uploads:Expiry", "00:00:00", "above zero")]
    [InlineData("""{ "Uploads": { "Expiry": { "Days": 1 } } }""", "Registry:Uploads:Expiry:Days", "00:30:00")]
    [InlineData("""{ "Uploads": "1.00:00:00" }""", "Registry:Uploads", "'1.00:00:00'", "group")]
    [InlineData("""{ "GarbageCollection": { "Lease": "00:00:10" } }""", "Registry:GarbageCollection:Lease", "00:00:10", "a minute or more")]
    [InlineData("""{ "Manifests": { "MaxBytes": "lots" } }""", "Registry:Manifests:MaxBytes", "'lots'", "whole number")]
    [InlineData("""{ "Manifests": { "MaxBytes": 5 } }""", "Registry:Manifests:MaxBytes", "5", "from 1024")]
    [InlineData("""{ "Limits": { "RequestsPerSecond": 10, "Burst": 9 } }""", "Registry:Limits:Burst", "is 9", "(10) or more")]
    [InlineData("""{ "Delete": { "Enabled": "perhaps" } }""", "Registry:Delete:Enabled", "'perhaps'", "true or false")]
    [InlineData("""{ "Data": " " }""", "Registry:Data", "empty", "folder")]
    [InlineData("""{ "Listen": "http://localhost:5000" }""", "Registry:Listen", "http://localhost:5000", "Registry:Listen:0")]
    [InlineData("""{ "Listen": [ "https://localhost:5000" ] }""", "Registry:Listen", "https://localhost:5000", "Registry:Tls:Certificates:0:Path")]
    [InlineData("""{ "Metrics": { "AllowedNetworks": [ "everywhere" ] } }""", "Registry:Metrics:AllowedNetworks", "'everywhere'", "10.0.0.0/8")]
    [InlineData("""{ "Cors": { "Origins": [ "*" ] } }""", "Registry:Cors:Origins", "'*'", "https://ui.example.com")]
    [InlineData("""{ "Stores": { "default": { "Kind": "Tape" } } }""", "Registry:Stores:default:Kind", "'Tape'", "FileSystem")]
    [InlineData("""{ "Stores": { "default": { "Root": "x" }, "b": { "Root": "./y/../x" } } }""", "Registry:Stores:b:Root", "overlap", "separate folders")]
    [InlineData("""{ "Database": { "Kind": "Oracle" } }""", "Registry:Database:Kind", "'Oracle'", "Sqlite")]
    [InlineData("""{ "Database": { "ConnectionString": "registry.db" } }""", "Registry:Database:ConnectionString", "'registry.db'")]
    [InlineData("""{ "Database": { "ConnectionString": "Data Source=no/such/folder/registry.db" } }""", "Registry:Database:ConnectionString", "no/such/folder")]
    [InlineData("""{ "Database": { "Kind": "PostgreSql" } }""", "Registry:Database:ConnectionString", "missing", "Host=db.example.com")]
    [InlineData("""{ "Database": { "Kind": "PostgreSql", "ConnectionString": "Password=x" } }""", "Registry:Database:ConnectionString", "Host=…")]
    [InlineData("""{ "Database": { "Kind": "PostgreSql", "ConnectionString": "Host=127.0.0.1;Port=1;Password=x" } }""", "Registry:Database:ConnectionString", "'127.0.0.1' (port 1)", "cannot be reached")]
    [InlineData("""{ "Database": { "ConnectionStringFile": "no/such/file" } }""", "Registry:Database:ConnectionStringFile", "'no/such/file'", "cannot be read")]
    [InlineData("""{ "Database": { "ConnectionString": "Data Source=x", "ConnectionStringFile": "y" } }""", "Registry:Database:ConnectionString", "both set")]
    [InlineData("""{ "Database": { "MaxConnections": 1 } }""", "Registry:Database:MaxConnections", "from 2 to 1000")]
    [InlineData("""{ "Database": { "MaxWait": "00:00:00" } }""", "Registry:Database:MaxWait", "above zero")]
    [InlineData("""{ "Registries": { "UPPER": {} } }""", "Registry:Registries:UPPER", "lower-case")]
    [InlineData("""{ "Registries": { "a": { "Kind": "Imaginary" } } }""", "Registry:Registries:a:Kind", "'Imaginary'", "Hosted")]
    [InlineData("""{ "Registries": { "a": { "Path": "UPPER" } } }""", "Registry:Registries:a:Path", "'UPPER'")]
    [InlineData("""{ "Registries": { "a": { "Path": "a//b" } } }""", "Registry:Registries:a:Path", "'a//b'")]
    [InlineData("""{ "Registries": { "a": { "Path": "a", "Store": "cloud" } } }""", "Registry:Registries:a:Store", "'cloud'", "default")]
    [InlineData("""{ "Registries": { "a": { "Path": "x" }, "b": { "Path": "/x/y" } } }""", "Registry:Registries:a:Path", "Registry:Registries:b:Path", "overlap")]
    [InlineData("""{ "Registries": { "a": { "Path": "x" }, "b": { "Path": "x" } } }""", "Registry:Registries:a:Path", "Registry:Registries:b:Path", "overlap")]
    [InlineData("""{ "Registries": { "default": {}, "b": {} } }""", "Registry:Registries:b", "Registry:Registries:default", "empty Path")]
    [InlineData("""{ "Registries": { "a": { "Path": "a", "Hosts": [ "x y" ] } } }""", "Registry:Registries:a:Hosts", "'x y'")]
    [InlineData("""{ "Registries": { "a": { "Path": "a", "Hosts": [ "h.example:http" ] } } }""", "Registry:Registries:a:Hosts", "'h.example:http'", "*:5001")]
    [InlineData("""{ "Registries": { "a": { "Path": "a", "Hosts": [ "h" ] }, "b": { "Path": "b", "Hosts": [ "H" ] } } }""", "Registry:Registries:a:Hosts", "Registry:Registries:b:Hosts")]
    [InlineData("""{ "Registries": { "a": { "Path": "a", "MaxBytes": 5 } } }""", "Registry:Registries:a:MaxBytes", "is 5", "Hosted")]
    [InlineData("""{ "Registries": { "a": { "Path": "a", "Pinned": [ "**" ] } } }""", "Registry:Registries:a:Pinned", "Hosted")]
    [InlineData("""{ "Registries": { "a": { "Kind": "Proxy", "Path": "a", "Upstream": "https://b.example", "MaxBytes": -1 } } }""", "Registry:Registries:a:MaxBytes", "is -1", "zero")]
    [InlineData("""{ "Registries": { "a": { "Kind": "Proxy", "Path": "a", "Upstream": "https://b.example", "Pinned": [ "app:v?" ] } } }""", "Registry:Registries:a:Pinned", "'app:v?'", "REPOSITORY:TAG")]
    [InlineData("""{ "Access": { "Rules": [ { "Subject": "alice", "Repositories": [ "**" ], "Actions": [ "Pull" ] } ] } }""", "Registry:Access:Rules:0:Subject", "'alice'", "user:NAME")]
    [InlineData("""{ "Access": { "Rules": [ { "Subject": "everyone", "Repositories": [ "**" ], "Actions": [ "Fly" ] } ] } }""", "Registry:Access:Rules:0:Actions:0", "'Fly'", "Push")]
    [InlineData("""{ "Access": { "Rules": [ { "Subject": "everyone", "Repositories": [ "A/**" ], "Actions": [ "Pull" ] } ] } }""", "Registry:Access:Rules:0:Repositories", "'A/**'")]
    [InlineData("""{ "Access": { "Rules": [ { "Subject": "everyone", "Repositories": [ "**" ] } ] } }""", "Registry:Access:Rules:0:Actions", "empty")]
    [InlineData("""{ "Access": { "Rules": [ { "Subject": "everyone", "Registry": "tean", "Repositories": [ "**" ], "Actions": [ "Pull" ] } ] } }""", "Registry:Access:Rules:0:Registry", "'tean'", "default")]
    [InlineData("""{ "Access": { "Htpasswd": { "Path": "nowhere" } } }""", "Registry:Access:Htpasswd:Path", "'nowhere'", "no such file")]
    public async Task A_configuration_that_cannot_be_served(string section, params string[] named)
        => await RefuseConfiguredAsync(section, named);

    [Fact]
    public async Task A_variable_of_the_environment_that_is_misspelt()
    {
        var result = await ServerProcess.RunAsync(
            _folder, new Dictionary<string, string>(StringComparer.Ordinal) { ["Registry__Uploads__Expirey"] = "01:00:00" }, "--port", "0");
        ExpectRefusal(result, ["Registry:Uploads:Expirey", "Expiry"]);
    }

    [Fact]
    public async Task A_refused_start_leaves_nothing_behind()
    {
        await RefuseAsync(["Registry:Access:Anonymous"], "--anonymous", "everything");
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private async Task RefuseConfiguredAsync(string section, string[] named)
    {
        await File.WriteAllTextAsync(_folder.File("settings.json"), $$"""{ "Registry": {{section}} }""");
        // No --port: it would stand in for the listener that the file has.
        ExpectRefusal(await ServerProcess.RunAsync(_folder, environment: null, "--config", "settings.json"), named);
    }

    private async Task RefuseAsync(string[] named, params string[] arguments)
        => ExpectRefusal(await ServerProcess.RunAsync(_folder, environment: null, arguments), named);

    private static void ExpectRefusal(CommandResult result, string[] named)
    {
        Assert.True(result.ExitCode == 1, $"{result.ExitCode}: {result.Error}{result.Output}");
        Assert.StartsWith("registry: ", result.Error, StringComparison.Ordinal);
        Assert.Equal(result.Error.Length - 1, result.Error.IndexOf('\n', StringComparison.Ordinal)); // one line
        Assert.All(named, text => Assert.Contains(text, result.Error, StringComparison.Ordinal));
        Assert.Empty(result.Output);
    }
}
