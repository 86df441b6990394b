using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Upstreams;

/// <summary>What is measured of upstreams: requests, bytes, and how many requests they still allow.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    public const string MeterName = "Registry.Upstreams";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _bytes;
    private readonly ConcurrentDictionary<string, long> _limits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _remaining = new(StringComparer.Ordinal);

    public UpstreamMetrics()
    {
        _requests = _meter.CreateCounter<long>(
            "registry.upstream.requests", "{request}", "Requests to the upstreams of proxy registries, by outcome.");
        _bytes = _meter.CreateCounter<long>(
            "registry.upstream.bytes", "By", "Bytes of bodies read from the upstreams of proxy registries.");
        _meter.CreateObservableGauge(
            "registry.upstream.ratelimit.limit", () => Measured(_limits), "{request}",
            "How many requests the upstream allows, as it last said.");
        _meter.CreateObservableGauge(
            "registry.upstream.ratelimit.remaining", () => Measured(_remaining), "{request}",
            "How many of them are left, as it last said.");
    }

    /// <param name="error">Null when it was answered well.</param>
    public void CountRequest(string registry, OciError? error)
        => _requests.Add(1, new("registry", registry), new("outcome", error?.Reason switch
        {
            null => "answered",
            ErrorReason.NotFound => error.MayExist ? "denied" : "not_found",
            ErrorReason.TooOften => "too_often",
            ErrorReason.Unavailable => "unavailable",
            _ => "fault",
        }));

    public void CountBytes(string registry, int bytes)
        => _bytes.Add(bytes, new KeyValuePair<string, object?>("registry", registry));

    /// <summary>Notes the limits that an answer tells of.</summary>
    public void Note(string registry, HttpResponseMessage response)
    {
        if (UpstreamAnswer.Count(response, "RateLimit-Limit") is { } limit)
            _limits[registry] = limit;
        if (UpstreamAnswer.Count(response, "RateLimit-Remaining") is { } remaining)
            _remaining[registry] = remaining;
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Measured(ConcurrentDictionary<string, long> values)
        => values.Select(
            value => new Measurement<long>(value.Value, new KeyValuePair<string, object?>("registry", value.Key)));
}
