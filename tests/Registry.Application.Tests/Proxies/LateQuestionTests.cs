using Microsoft.Extensions.Logging.Abstractions;
using NSubstitute;
using Registry.Application.Manifests;
using Registry.Application.Manifests.PutManifest;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Application.Tags;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Proxies;

/// <summary>
/// The answer to one client's question may be kept just after another client has looked for it: the upstream is not
/// asked twice.
/// </summary>
public sealed class LateQuestionTests
{
    private static readonly RepositoryIdentity Repository = new(RegistryName.Parse("hub"), RepositoryName.Parse("team/app"));
    private static readonly Tag Latest = Tag.Parse("latest");
    private static readonly StoredManifest Manifest
        = new(Digest.Parse($"sha256:{new string('a', 64)}"), MediaType.OciIndex, 2, "{}"u8.ToArray());

    private readonly IProxyCache _cache = Substitute.For<IProxyCache>();
    private readonly IManifestIndex _manifests = Substitute.For<IManifestIndex>();
    private readonly IUpstreams _upstreams = Substitute.For<IUpstreams>();
    private readonly ProxyRules _rules = new(new(
        new Dictionary<string, RegistrySettings>
        {
            ["hub"] = new() { Kind = RegistryKind.Proxy, Path = "hub", Upstream = "https://hub.example", TagTtl = TimeSpan.FromMinutes(5) },
        },
        Substitute.For<IBlobStores>()));

    [Fact]
    public async Task For_a_tag()
    {
        _cache.FindAsync(Repository, Latest, Arg.Any<CancellationToken>())
            .Returns((CachedManifest?)null, new CachedManifest(Manifest, TimeSpan.Zero));
        await ExpectAsync(Latest);
    }

    [Fact]
    public async Task For_a_tag_that_was_old()
    {
        _cache.FindAsync(Repository, Latest, Arg.Any<CancellationToken>())
            .Returns(new CachedManifest(Manifest, TimeSpan.FromHours(1)), new CachedManifest(Manifest, TimeSpan.Zero));
        await ExpectAsync(Latest);
    }

    [Fact]
    public async Task For_a_digest()
    {
        _manifests.FindAsync(Repository, Manifest.Digest, Arg.Any<CancellationToken>()).Returns((StoredManifest?)null, Manifest);
        await ExpectAsync(Manifest.Digest);
    }

    [Fact]
    public async Task For_what_the_upstream_does_not_have()
    {
        var absences = new Absences(_rules, TimeProvider.System);
        _cache.FindAsync(Repository, Latest, Arg.Any<CancellationToken>()).Returns(
            _ => null,
            _ =>
            {
                absences.Note(Repository, Latest, OciError.ManifestUnknown(Latest));
                return (CachedManifest?)null;
            });
        var got = await Manifests(absences).GetAsync(Repository, Latest, CancellationToken.None);
        Assert.False(got.TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.NotFound, errors[0].Reason);
        Assert.Empty(_upstreams.ReceivedCalls());
    }

    [Fact]
    public async Task For_referrers()
    {
        Referrer listed = new(Manifest.MediaType.Value, Manifest.Digest, Manifest.Size, ArtifactType: null, Annotations: null);
        _cache.FindReferrersAsync(Repository, Manifest.Digest, Arg.Any<CancellationToken>())
            .Returns((CachedReferrers?)null, new CachedReferrers([listed], TimeSpan.Zero));
        var referrers = new ProxiedReferrers(
            _cache, Substitute.For<IReferrerIndex>(), _upstreams, _rules, new(_rules, TimeProvider.System));
        Assert.True((await referrers.ListAsync(Repository, Manifest.Digest, CancellationToken.None)).TryGet(out var found, out _));
        Assert.Equal([listed], found);
        Assert.Empty(_upstreams.ReceivedCalls());
    }

    [Fact]
    public async Task For_referrers_that_the_upstream_could_not_give()
    {
        var absences = new Absences(_rules, TimeProvider.System);
        var index = Substitute.For<IReferrerIndex>();
        index.ListAsync(default!, default!, default, default!, default).ReturnsForAnyArgs(Page<Referrer>.Of([], 10));
        _cache.FindReferrersAsync(Repository, Manifest.Digest, Arg.Any<CancellationToken>()).Returns(
            _ => null,
            _ =>
            {
                absences.Note(
                    Repository, $"referrers of {Manifest.Digest}", OciError.UpstreamUnavailable("hub.example", "cannot be reached"));
                return (CachedReferrers?)null;
            });
        var referrers = new ProxiedReferrers(_cache, index, _upstreams, _rules, absences);
        Assert.True((await referrers.ListAsync(Repository, Manifest.Digest, CancellationToken.None)).TryGet(out _, out _));
        Assert.Empty(_upstreams.ReceivedCalls());
    }

    private async Task ExpectAsync(Reference reference)
    {
        var got = await Manifests(new(_rules, TimeProvider.System)).GetAsync(Repository, reference, CancellationToken.None);
        Assert.True(got.TryGet(out var manifest, out _));
        Assert.Equal(Manifest, manifest);
        Assert.Empty(_upstreams.ReceivedCalls());
    }

    private ProxiedManifests Manifests(Absences absences)
        => new(
            _manifests, Substitute.For<ITagIndex>(), _cache, _upstreams, _rules, absences,
            Substitute.For<FluentValidation.IValidator<PutManifestCommand>>(), TimeProvider.System, NullLogger<ProxiedManifests>.Instance);
}
