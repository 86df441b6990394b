using System.Globalization;
using System.Text.RegularExpressions;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.Health;

/// <summary>What Prometheus reads (its text format 0.0.4), and who may.</summary>
/// <remarks>In a process of its own: what the framework measures is the process', and ends with the first server in it that stops.</remarks>
public sealed partial class MetricsTests : IAsyncLifetime
{
    private readonly WorkFolder _folder = new("metrics");
    private ServerProcess _server = null!;
    private RegistryClient _client = null!;

    public async Task InitializeAsync()
    {
        _server = await ServerProcess.StartAsync(_folder);
        _client = _server.Client;
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_line_is_a_comment_or_a_sample_and_every_sample_belongs_to_a_type()
    {
        await SomeRequestsAsync();
        var answer = (await _client.GetAsync("/metrics")).Expect(200).ExpectHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");

        var (types, helped, samples) = (new Dictionary<string, string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal), 0);
        Assert.EndsWith("\n", answer.Text, StringComparison.Ordinal);
        foreach (var line in answer.Text.Split('\n')[..^1])
        {
            if (Help().Match(line) is { Success: true } help)
            {
                Assert.True(helped.Add(help.Groups["name"].Value), line);
            }
            else if (Kind().Match(line) is { Success: true } kind)
            {
                Assert.True(types.TryAdd(kind.Groups["name"].Value, kind.Groups["type"].Value), line);
            }
            else
            {
                var sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                var name = sample.Groups["name"].Value;
                var family = types.ContainsKey(name) ? name : Suffix().Replace(name, "");
                Assert.Equal(types.Keys.Last(), family); // the samples of one metric stand together
                Assert.Equal(types[family] == "counter", name.EndsWith("_total", StringComparison.Ordinal));
                Assert.True(double.TryParse(sample.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out _), line);
                samples++;
            }
        }

        Assert.True(samples > 20, answer.Text);
        Assert.Contains(types, type => type is { Key: "http_server_request_duration_seconds", Value: "histogram" });
        Assert.Contains("gauge", types.Values);
        Assert.Contains("counter", types.Values);
    }

    [Fact]
    public async Task The_same_sample_is_never_there_twice()
    {
        await SomeRequestsAsync();
        var samples = (await SamplesAsync()).Select(sample => $"{sample.Groups["name"]}{sample.Groups["labels"]}").ToList();
        Assert.Equal(samples.Distinct().Count(), samples.Count);
    }

    [Fact]
    public async Task The_buckets_of_a_histogram_count_up_to_its_count()
    {
        await SomeRequestsAsync();
        var samples = await SamplesAsync();
        var series = samples.Where(sample => sample.Groups["name"].Value == "http_server_request_duration_seconds_bucket")
            .GroupBy(sample => Bound().Replace(sample.Groups["labels"].Value, "")).ToList();
        Assert.NotEmpty(series);
        foreach (var buckets in series)
        {
            var bounds = buckets.Select(bucket => Bound().Match(bucket.Groups["labels"].Value).Groups["bound"].Value).ToList();
            var counts = buckets.Select(bucket => long.Parse(bucket.Groups["value"].Value, CultureInfo.InvariantCulture)).ToList();
            Assert.Equal("+Inf", bounds[^1]);
            var numbers = bounds[..^1].Select(bound => double.Parse(bound, CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(numbers.Distinct().Order(), numbers);
            Assert.Equal(counts.Order(), counts);
            var count = samples.Single(sample => sample.Groups["name"].Value == "http_server_request_duration_seconds_count"
                && sample.Groups["labels"].Value == buckets.Key);
            Assert.Equal(count.Groups["value"].Value, buckets.Last().Groups["value"].Value);
            Assert.True(counts[^1] > 0);
        }
    }

    [Fact]
    public async Task Requests_are_counted()
    {
        await SomeRequestsAsync();
        var before = await CountAsync();
        for (var time = 0; time < 5; time++)
            (await _client.GetAsync("/v2/")).Expect(200);
        Assert.True(await CountAsync() >= before + 5);

        async Task<long> CountAsync()
            => (await SamplesAsync()).Where(sample => sample.Groups["name"].Value == "http_server_request_duration_seconds_count")
                .Sum(sample => long.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Names_of_repositories_are_not_in_it()
    {
        await _client.PushImageAsync("metrics/secret-name", "v1");
        Assert.DoesNotContain("secret-name", (await _client.GetAsync("/metrics")).Expect(200).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    public async Task Nobody_reads_it_through_a_proxy(string header, string value)
    {
        var answer = (await _client.GetAsync("/metrics", (header, value))).ExpectError(403, "DENIED");
        Assert.DoesNotContain("# TYPE", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_configured_networks_read_it() // S-24
    {
        await using var elsewhere = await RegistryFactory.StartAsync(("Metrics:AllowedNetworks:0", "192.0.2.0/24"));
        (await elsewhere.Client.GetAsync("/metrics")).ExpectError(403, "DENIED");
        await using var everywhere = await RegistryFactory.StartAsync(("Metrics:AllowedNetworks:0", "0.0.0.0/0"), ("Access:Anonymous", "None"));
        (await everywhere.Client.GetAsync("/metrics")).Expect(200);
    }

    private async Task SomeRequestsAsync()
    {
        (await _client.GetAsync("/metrics")).Expect(200); // from here on everything is measured
        (await _client.GetAsync("/v2/")).Expect(200);
        (await _client.GetAsync("/v2/none/manifests/v1")).Expect(404);
        (await _client.PostAsync("/v2/UPPER/blobs/uploads/")).Expect(400);
    }

    private async Task<List<Match>> SamplesAsync()
        => [.. (await _client.GetAsync("/metrics")).Expect(200).Text.Split('\n').Select(line => Sample().Match(line)).Where(match => match.Success)];

    [GeneratedRegex("""^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\\n]|\\\\|\\n)*\z""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Help();

    [GeneratedRegex("""^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram)\z""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Kind();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*")*\})? (?<value>[^ ]+)\z""",
        RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex Sample();

    [GeneratedRegex(",?le=\"(?<bound>[^\"]*)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Bound();

    [GeneratedRegex("_(bucket|sum|count)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Suffix();
}
