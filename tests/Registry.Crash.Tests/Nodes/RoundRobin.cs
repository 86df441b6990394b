using System.Collections.Concurrent;
using System.Globalization;

namespace Registry.Crash.Tests.Nodes;

/// <summary>
/// What a load balancer does: each request goes to the next node, and past one that cannot be reached. It forwards no
/// request twice that a node may have begun, so a request that a node was killed under is its client's to repeat.
/// </summary>
internal sealed class RoundRobin(IReadOnlyList<Uri> nodes, int connections = 64) : DelegatingHandler(
    new SocketsHttpHandler { MaxConnectionsPerServer = Math.Max(1, connections / nodes.Count), UseProxy = false })
{
    /// <summary>Where its clients think the registry is.</summary>
    public static readonly Uri Address = new("http://registry.example/");

    private readonly int[] _served = new int[nodes.Count];
    private readonly ConcurrentQueue<string> _faults = new();
    private int _turn = -1;

    /// <summary>How many answers each node gave.</summary>
    public IReadOnlyList<int> Served => _served;

    /// <summary>The answers of 500 and above.</summary>
    public IReadOnlyCollection<string> Faults => _faults;

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.PathAndQuery;
        request.Headers.Host = Address.Authority;
        // The handler below repeats what has no content, also when a node may have begun with it.
        if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
            request.Content ??= new ByteArrayContent([]);
        for (var tries = 1; ; tries++)
        {
            var node = (int)((uint)Interlocked.Increment(ref _turn) % (uint)nodes.Count);
            request.RequestUri = new Uri(nodes[node], path);
            try
            {
                var answer = await base.SendAsync(request, cancellationToken);
                Interlocked.Increment(ref _served[node]);
                if ((int)answer.StatusCode >= 500)
                {
                    _faults.Enqueue(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{(int)answer.StatusCode}, Retry-After: {answer.Headers.RetryAfter}"));
                }

                return answer;
            }
            catch (HttpRequestException e) when (
                e.HttpRequestError == HttpRequestError.ConnectionError && tries < nodes.Count)
            {
                // It has not even begun: the next one.
            }
        }
    }
}
