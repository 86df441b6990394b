using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Registry.Bench.Load;
using Registry.Bench.Reports;
using Registry.Bench.Servers;
using Registry.Bench.Workloads;
using Registry.Infrastructure.Access.Htpasswd;

namespace Registry.Bench.Commands;

/// <summary>
/// What credentials cost: the same manifest, by tag, got anonymously, with a bearer token, with a password that was
/// checked before, and with passwords that are each checked for the first time.
/// </summary>
internal sealed class AccessCommand : Command
{
    private const int Readers = 16;
    private const int NewUsers = 60;
    private const string User = "alice";
    private const string Password = "correct horse";

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(4);

    private readonly Option<int> _rounds = new("--rounds") { Description = "Rounds.", DefaultValueFactory = _ => 5 };

    public AccessCommand()
        : base("access", "What credentials cost: anonymous, bearer token, password.")
    {
        Options.Add(_rounds);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var passwords = Path.GetTempFileName();
        try
        {
            // Of the cost that htpasswd -B writes with -C 10; 5 is its default.
            var hash = Bcrypt.Hash(Password, "$2y$10$abcdefghijklmnopqrstuu");
            await File.WriteAllLinesAsync(
                passwords,
                [$"{User}:{hash}", .. Enumerable.Range(0, NewUsers).Select(number => $"{NewUser(number)}:{hash}")],
                cancellationToken);
            using var server = ServerProcess.Ours(settings: new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Registry__Access__Anonymous"] = "Push",
                ["Registry__Access__Htpasswd__Path"] = passwords,
            });
            await MeasureAsync(server.Target, arguments.GetValue(_rounds));
            return 0;
        }
        finally
        {
            File.Delete(passwords);
        }
    }

    private static async Task MeasureAsync(Target target, int rounds)
    {
        Fixture.Fill(target, withRepositories: false);
        var token = await GetTokenAsync(target);
        (string Name, string? Authorization)[] ways =
            [("anonymous", null), ("bearer token", $"Bearer {token}"), ("password, checked before", Basic(User))];
        var measured = ways.ToDictionary(way => way.Name, _ => new List<Measurement>(), StringComparer.Ordinal);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, authorization) in round % 2 == 0 ? ways : ways.Reverse())
            {
                byte[][] requests = [.. Enumerable.Range(0, Fixture.Tags).Select(number => Get(target, number, authorization))];
                measured[name].Add(ClosedLoop.Run(
                    target, Readers, WarmUp, Window,
                    (connection, number) => connection.Send(requests[number % requests.Length], 200)));
            }
        }

        var first = ClosedLoop.RunOnce(
            target, clients: 1,
            (connection, _) =>
            {
                for (var number = 0; number < NewUsers; number++)
                    connection.Send(Get(target, number, Basic(NewUser(number))), 200);
            });

        var anonymous = MedianCpu(measured["anonymous"]);
        var known = MedianCpu(measured["password, checked before"]);
        Console.WriteLine($"{Machine.Describe()}\n\n| manifest GET by tag, 16 at once | rate | CPU (ms) | of anonymous |\n|---|--:|--:|--:|");
        foreach (var (name, all) in measured)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {MedianRate(all):0}/s | {MedianCpu(all) * 1000:0.000} | {MedianCpu(all) / anonymous:0.00}× |"));
        }

        var each = first.CpuSeconds!.Value / NewUsers;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| password, bcrypt (cost 10) each time | {NewUsers / first.Seconds:0}/s | {each * 1000:0.0} | {each / anonymous:0}× |\n\n"
            + $"A password that was checked before costs {each / known:0} times less than a bcrypt each time."));
    }

    private static string NewUser(int number) => $"user{number}";

    private static string Basic(string user)
        => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Password}"))}";

    private static byte[] Get(Target target, int number, string? authorization)
    {
        var path = $"/v2/{Fixture.Tagged}/manifests/{Fixture.Tag(number)}";
        string[] headers = authorization is null ? [] : [$"Authorization: {authorization}"];
        return HttpRequest.Of(target.Address, "GET", path, [$"Accept: {HttpRequest.ImageManifest}", .. headers]);
    }

    private static async Task<string> GetTokenAsync(Target target)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(target.Address, $"/token?service={target.Address.Authority}&scope=repository:{Fixture.Tagged}:pull"));
        request.Headers.Authorization = AuthenticationHeaderValue.Parse(Basic(User));
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.GetProperty("token").GetString()!;
    }

    private static double MedianCpu(IEnumerable<Measurement> measured) => Median.Of(measured.Select(m => m.CpuPerOperation!.Value));

    private static double MedianRate(IEnumerable<Measurement> measured) => Median.Of(measured.Select(m => m.Rate));
}
