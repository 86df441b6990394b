using System.Collections.Concurrent;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application;
using Registry.Application.Access;
using Registry.Application.GarbageCollection;
using Registry.Application.Manifests;
using Registry.Application.Registries;
using Registry.Application.Uploads;
using Registry.Domain.Errors;
using Registry.Infrastructure.Startup;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.Tests;

/// <summary>A registry without its web layer on a data folder, as the server composes it; background work runs when it is started.</summary>
internal sealed class Instance : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _running = [];
    private readonly KeptLog _log = new();

    private Instance(string data, TimeProvider time, string[] registries)
    {
        var services = new ServiceCollection().AddApplication();
        services.AddLogging(logging => logging.AddProvider(_log));
        services.AddSingleton(time).AddSingleton(new UploadOptions()).AddSingleton(new ManifestOptions());
        services.AddSingleton(new DeleteOptions()).AddSingleton(new AccessOptions()).AddSingleton(new GarbageCollectionOptions());
        services.AddInfrastructure(
            data,
            new Dictionary<string, StoreOptions>(StringComparer.Ordinal) { ["default"] = new() { Root = Path.Combine(data, "blobs") } },
            new(),
            registries.Prepend("default").ToDictionary(
                name => name, name => new RegistrySettings { Path = name == "default" ? "" : name }, StringComparer.Ordinal),
            new());
        _services = services.BuildServiceProvider();
    }

    /// <summary>The errors that were logged.</summary>
    public IReadOnlyCollection<string> Errors => _log.Errors;

    /// <param name="registries">Hosted registries besides <c>default</c>.</param>
    public static async Task<Instance> StartAsync(string data, TimeProvider time, params string[] registries)
    {
        var instance = new Instance(data, time, registries);
        await instance._services.GetServices<IHostedService>().OfType<RegistryStartup>().Single().StartingAsync(CancellationToken.None);
        return instance;
    }

    public T Get<T>()
        where T : notnull
        => _services.GetRequiredService<T>();

    public async Task<T> SendAsync<T>(IRequest<Result<T>> request)
    {
        var result = await Get<IMediator>().Send(request, CancellationToken.None);
        return result.Match(value => value, errors => throw new InvalidOperationException(errors[0].Message));
    }

    public async Task RunAsync<TWork>()
        where TWork : IHostedService
    {
        var work = _services.GetServices<IHostedService>().OfType<TWork>().Single();
        _running.Add(work);
        await work.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var work in _running)
            await work.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }

    private sealed class KeptLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _errors = new();

        public IReadOnlyCollection<string> Errors => _errors;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                _errors.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
