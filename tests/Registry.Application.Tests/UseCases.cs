using MediatR;
using Microsoft.Extensions.DependencyInjection;
using NSubstitute;
using Registry.Application.Access;
using Registry.Application.Access.Tokens;
using Registry.Application.Blobs;
using Registry.Application.Catalog;
using Registry.Application.Manifests;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Application.Tags;
using Registry.Application.Uploads;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests;

/// <summary>The use cases as a server composes them, with ports that a test tells what to answer.</summary>
internal sealed class UseCases : IAsyncDisposable
{
    public static readonly RepositoryIdentity Repository = new(RegistryName.Default, RepositoryName.Parse("team/app"));
    public static readonly Principal Alice = new("alice");

    private readonly ServiceProvider _services;

    public UseCases()
    {
        Store.Name.Returns("default");
        Store.Staging.Returns(Staging);
        Stores.Find("default").Returns(Store);
        Stores.All.Returns([Store]);
        Manifests.PutAsync(default!, default).ReturnsForAnyArgs(PutOutcome.Stored);
        Access.Allows(default!, default!, default).ReturnsForAnyArgs(true);
        Access.PullPrefixes(default!, default!).ReturnsForAnyArgs([""]);

        var services = new ServiceCollection().AddApplication();
        services.AddSingleton(_ => new RegistryMap(Registries, Stores)); // a test may add registries first
        services.AddSingleton(Stores).AddSingleton(Sessions).AddSingleton(Links).AddSingleton(Manifests);
        services.AddSingleton(Tags).AddSingleton(Catalog).AddSingleton(Access); // the last policy added counts
        services.AddSingleton(new ManifestOptions { MaxTags = 3 }).AddSingleton(Delete).AddSingleton(new UploadOptions());
        services.AddSingleton(Substitute.For<IStoredAccess>()).AddSingleton(Substitute.For<ITokenIssuer>());
        services.AddSingleton(new AccessOptions()).AddSingleton(_ => Time).AddSingleton(Content).AddLogging();
        services.AddSingleton(Cache).AddSingleton(Upstreams).AddSingleton(Substitute.For<IReferrerIndex>());
        _services = services.BuildServiceProvider();
    }

    public Dictionary<string, RegistrySettings> Registries { get; } = new() { ["default"] = new() };

    public IBlobStores Stores { get; } = Substitute.For<IBlobStores>();

    public IBlobStore Store { get; } = Substitute.For<IBlobStore>();

    public IUploadStaging Staging { get; } = Substitute.For<IUploadStaging>();

    public IUploadSessions Sessions { get; } = Substitute.For<IUploadSessions>();

    public IBlobLinks Links { get; } = Substitute.For<IBlobLinks>();

    public IManifestIndex Manifests { get; } = Substitute.For<IManifestIndex>();

    public ITagIndex Tags { get; } = Substitute.For<ITagIndex>();

    public ICatalog Catalog { get; } = Substitute.For<ICatalog>();

    public IAccessPolicy Access { get; } = Substitute.For<IAccessPolicy>();

    public IProxyCache Cache { get; } = Substitute.For<IProxyCache>();

    public IUpstreams Upstreams { get; } = Substitute.For<IUpstreams>();

    public ICachedContent Content { get; } = Substitute.For<ICachedContent>();

    public DeleteOptions Delete { get; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ManifestPulls Pulls => _services.GetRequiredService<ManifestPulls>();

    public Task<Result<T>> SendAsync<T>(IRequest<Result<T>> request)
        => _services.GetRequiredService<IMediator>().Send(request, CancellationToken.None);

    /// <summary>The value that the request must have.</summary>
    public async Task<T> GetAsync<T>(IRequest<Result<T>> request)
    {
        var result = await SendAsync(request);
        Assert.True(result.TryGet(out var value, out var errors), string.Join(' ', errors.Select(error => error.Message)));
        return value;
    }

    /// <summary>The errors that the request must have.</summary>
    public async Task<IReadOnlyList<OciError>> RefusalsAsync<T>(IRequest<Result<T>> request)
    {
        var result = await SendAsync(request);
        Assert.False(result.TryGet(out _, out var errors), "The request was not refused.");
        Assert.NotEmpty(errors);
        return errors;
    }

    /// <summary>The one error that the request must have.</summary>
    public async Task<OciError> RefusalAsync<T>(IRequest<Result<T>> request) => Assert.Single(await RefusalsAsync(request));

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
