using System.Diagnostics.Metrics;

namespace Registry.Infrastructure.Tests.Upstreams;

public sealed class UpstreamMetricsTests : UpstreamFixture
{
    [Fact]
    public async Task Requests_bytes_and_limits_are_measured()
    {
        var registry = $"m{Guid.NewGuid():N}"; // other tests measure beside this one
        var measured = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, it) =>
            {
                if (instrument.Meter.Name == "Registry.Upstreams")
                    it.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var labels = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value?.ToString());
            if (labels["registry"] != registry)
                return;
            var key = labels.TryGetValue("outcome", out var outcome) ? $"{instrument.Name} {outcome}" : instrument.Name;
            lock (measured)
                measured[key] = instrument.IsObservable ? value : measured.GetValueOrDefault(key) + value;
        });
        listener.Start();

        var image = Server.ServeImage("team/app", "latest");
        Server.Gate = context =>
        {
            context.Response.Headers["RateLimit-Limit"] = "100;w=21600";
            context.Response.Headers["RateLimit-Remaining"] = context.Request.Method == "HEAD" ? "76;w=21600" : "75";
            return Task.FromResult(false);
        };
        var upstream = Upstream(registry: registry);
        Error(await upstream.GetManifestAsync(Repository, DigestOf(TestContent.Text("none")), CancellationToken.None));
        Value(await FindTagAsync(upstream));
        using (var blob = Value(await OpenAsync(upstream, image.Layer)))
            await ReadAsync(blob);
        Error(await upstream.FindBlobAsync(Repository, DigestOf(TestContent.Text("none")), CancellationToken.None));
        Server.Gate = async context =>
        {
            await ScriptedUpstream.Status(500)(context);
            return true;
        };
        Error(await FindTagAsync(upstream));
        listener.RecordObservableInstruments();
        lock (measured)
        {
            Assert.Equal(
                [
                    ("registry.upstream.bytes", image.Layer.Bytes.Length), ("registry.upstream.ratelimit.limit", 100),
                    ("registry.upstream.ratelimit.remaining", 76), ("registry.upstream.requests answered", 2),
                    ("registry.upstream.requests denied", 1), ("registry.upstream.requests not_found", 1), ("registry.upstream.requests unavailable", 1),
                ],
                measured.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value)));
        }
    }
}
