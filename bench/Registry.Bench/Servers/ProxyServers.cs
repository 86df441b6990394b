namespace Registry.Bench.Servers;

/// <summary>A process with a proxy registry and a hosted one, and the process that is the proxy's upstream.</summary>
internal sealed class ProxyServers : IAsyncDisposable
{
    /// <summary>What names in the hosted registry begin with; as long as <see cref="Proxied"/>.</summary>
    public const string Hosted = "pushed/";

    /// <summary>What names in the proxy registry begin with.</summary>
    public const string Proxied = "cached/";

    private readonly Backends _backends;
    private readonly ServerProcess _proxy;

    private ProxyServers(ServerProcess upstream, Backends backends, ServerProcess proxy)
        => (Upstream, _backends, _proxy) = (upstream, backends, proxy);

    public ServerProcess Upstream { get; }

    public Target Proxy => _proxy.Target;

    /// <param name="onS3">Where the process with the proxy keeps blobs; the upstream keeps them in a folder.</param>
    public static async Task<ProxyServers> StartAsync(bool onS3)
    {
        var backends = await Backends.StartAsync(onS3, onPostgreSql: false);
        var upstream = ServerProcess.Ours();
        var proxy = backends.StartOurs(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Registry__Registries__pushed__Path"] = "pushed",
            ["Registry__Registries__cached__Kind"] = "Proxy",
            ["Registry__Registries__cached__Path"] = "cached",
            ["Registry__Registries__cached__Upstream"] = upstream.Target.Address.GetLeftPart(UriPartial.Authority),
            ["Registry__Registries__cached__TagTtl"] = "1.00:00:00", // longer than any run
        });
        return new(upstream, backends, proxy);
    }

    public void WaitUntilIdle()
    {
        Upstream.Target.WaitUntilIdle();
        Proxy.WaitUntilIdle();
    }

    public async ValueTask DisposeAsync()
    {
        _proxy.Dispose();
        Upstream.Dispose();
        await _backends.DisposeAsync();
    }
}
