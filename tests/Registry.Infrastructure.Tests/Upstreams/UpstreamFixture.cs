using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Tests.Database;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>A proxy registry's upstream adapter on a scripted upstream.</summary>
public abstract class UpstreamFixture : IAsyncLifetime
{
    protected const string Password = "s3cret-pass";

    protected static readonly RepositoryName Repository = RepositoryName.Parse("team/app");

    private readonly List<IDisposable> _made = [];

    internal ManualTime Time { get; } = new();

    internal KeptLines Log { get; } = new();

    protected ScriptedUpstream Server { get; private set; } = null!;

    public virtual async Task InitializeAsync() => Server = await ScriptedUpstream.StartAsync();

    public virtual async Task DisposeAsync()
    {
        foreach (var made in _made)
            made.Dispose();
        await Server.DisposeAsync();
    }

    protected IUpstream Upstream(Action<RegistrySettings>? change = null, string registry = "hub", int maxManifestBytes = 4 << 20)
    {
        var settings = new RegistrySettings { Kind = RegistryKind.Proxy, Upstream = Server.Url };
        change?.Invoke(settings);
        var upstreams = new HttpUpstreams(
            new Dictionary<string, RegistrySettings> { [registry] = settings, ["default"] = new() }, maxManifestBytes, Time, Log);
        _made.Add(upstreams);
        upstreams.Open();
        return upstreams.Of(RegistryName.Parse(registry));
    }

    protected static void AllowLoopback(RegistrySettings settings) => settings.AllowedNetworks.Add("127.0.0.0/8");

    protected static void AsUser(RegistrySettings settings) => (settings.Username, settings.Password) = ("alice", Password);

    protected static Digest DigestOf(TestContent content) => Digest.Parse(content.Digest);

    protected static T Value<T>(Result<T> result)
        => result.Match(value => value, errors => throw new InvalidOperationException(errors[0].Message));

    protected static OciError Error<T>(Result<T> result)
        => result.Match(value => throw new InvalidOperationException($"It was not refused: {value}"), errors => errors[0]);

    protected static async Task<byte[]> ReadAsync(UpstreamBlob blob)
    {
        using var all = new MemoryStream();
        await blob.Content.CopyToAsync(all);
        return all.ToArray();
    }

    protected static Task<Result<Digest?>> FindTagAsync(IUpstream upstream)
        => upstream.FindManifestAsync(Repository, Tag.Parse("latest"), CancellationToken.None);

    protected static Task<Result<Registry.Application.Manifests.StoredManifest>> GetTagAsync(IUpstream upstream)
        => upstream.GetManifestAsync(Repository, Tag.Parse("latest"), CancellationToken.None);

    protected static Task<Result<UpstreamBlob>> OpenAsync(IUpstream upstream, TestContent blob, long offset = 0)
        => upstream.OpenBlobAsync(Repository, DigestOf(blob), offset, CancellationToken.None);
}

internal sealed class KeptLines : ILogger<HttpUpstreams>
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add($"{logLevel}: {formatter(state, exception)} {exception}".TrimEnd());
    }
}
