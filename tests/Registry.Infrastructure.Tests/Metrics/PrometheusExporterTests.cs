using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Registry.Infrastructure.Metrics;

namespace Registry.Infrastructure.Tests.Metrics;

/// <summary>Prometheus' text format 0.0.4: names, units, escapes, buckets.</summary>
public sealed class PrometheusExporterTests : IDisposable
{
    private readonly Meter _meter = new($"test-{Guid.NewGuid()}");
    private readonly PrometheusExporter _exporter = new();
    private readonly MeterProvider _provider;

    public PrometheusExporterTests()
        => _provider = Sdk.CreateMeterProviderBuilder().AddMeter(_meter.Name).AddReader(new BaseExportingMetricReader(_exporter)).Build();

    public void Dispose()
    {
        _provider.Dispose();
        _exporter.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void A_counter_ends_in_total_and_goes_on_counting()
    {
        var counter = _meter.CreateCounter<long>("registry.pulls", "{pull}", "Pulls of blobs.");
        counter.Add(2);
        Scrape();
        counter.Add(3);
        Assert.Equal("# HELP registry_pulls_total Pulls of blobs.\n# TYPE registry_pulls_total counter\nregistry_pulls_total 5\n", Scrape());
    }

    [Fact]
    public void What_stands_in_a_label_cannot_break_out_of_it()
    {
        _meter.CreateCounter<long>("pulls").Add(1, new("path", "a\"b\\c\nd"), new("http.status-code", 200), new("none", null));
        Assert.Contains(
            """pulls_total{http_status_code="200",none="",path="a\"b\\c\nd"} 1""",
            Sorted(Scrape()));
    }

    [Fact]
    public void A_description_is_one_line()
    {
        _meter.CreateCounter<long>("pulls", null, "One\\two\nthree").Add(1);
        Assert.StartsWith("# HELP pulls_total One\\\\two three\n", Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_unit_is_part_of_the_name_once()
    {
        _meter.CreateUpDownCounter<long>("memory", "By").Add(7);
        _meter.CreateUpDownCounter<double>("disk_bytes", "By").Add(0.5);
        var text = Scrape();
        Assert.Contains("# TYPE memory_bytes gauge\nmemory_bytes 7\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE disk_bytes gauge\ndisk_bytes 0.5\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_buckets_of_a_histogram_are_cumulative()
    {
        var histogram = _meter.CreateHistogram(
            "duration", "s", null, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1, 1000] });
        foreach (var value in new[] { 0.25, 0.5, 0.75, 5, 5, 5000 })
            histogram.Record(value, new KeyValuePair<string, object?>("method", "GET"));
        Assert.Equal(
            """
            # TYPE duration_seconds histogram
            duration_seconds_bucket{method="GET",le="0.5"} 2
            duration_seconds_bucket{method="GET",le="1"} 3
            duration_seconds_bucket{method="GET",le="1000"} 5
            duration_seconds_bucket{method="GET",le="+Inf"} 6
            duration_seconds_sum{method="GET"} 5011.5
            duration_seconds_count{method="GET"} 6

            """,
            Scrape());
    }

    [Theory]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(1e300, "1E+300")]
    [InlineData(-0.1, "-0.1")]
    public void Every_number_is_written_so_that_it_can_be_read(double value, string written)
    {
        _meter.CreateObservableGauge("level", () => value);
        Assert.EndsWith($"\nlevel {written}\n", Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_can_read_at_once()
    {
        _meter.CreateCounter<long>("pulls").Add(1);
        var expected = Scrape();
        var texts = new string[50];
        Parallel.For(0, texts.Length, number => texts[number] = Scrape());
        Assert.All(texts, text => Assert.Equal(expected, text));
    }

    private string Scrape() => _exporter.Scrape();

    // Labels come in no order that one could rely on.
    private static string Sorted(string text)
        => string.Join('\n', text.Split('\n').Select(line => line.IndexOf('{', StringComparison.Ordinal) is var open and > 0
            ? $"{line[..(open + 1)]}{string.Join(',', line[(open + 1)..line.LastIndexOf('}')].Split(',').Order(StringComparer.Ordinal))}{line[line.LastIndexOf('}')..]}"
            : line));
}
