using Microsoft.Extensions.Primitives;

namespace Registry.Web.Configuration;

/// <summary>Reads the rules again when the configuration of a host application says that it has changed.</summary>
internal sealed class HostConfiguration(IConfiguration configuration, RuleReload reload) : IHostedService, IDisposable
{
    private IDisposable? _watch;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _watch = ChangeToken.OnChange(configuration.GetReloadToken, () => reload.Apply(() => configuration));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _watch?.Dispose();
}
