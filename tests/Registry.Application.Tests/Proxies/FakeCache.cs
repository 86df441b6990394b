using System.Text;
using NSubstitute;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Proxies;

/// <summary>A proxy registry that holds manifests of 100 bytes, each with its blob.</summary>
internal sealed class FakeCache : IAsyncDisposable
{
    public static readonly RegistryName Hub = RegistryName.Parse("hub");

    private readonly List<CachedItem> _items = [];
    private readonly Dictionary<Digest, CachedItem[]> _children = [];
    private readonly HashSet<Digest> _stubborn = [];

    public FakeCache(long maxBytes, params string[] pinned)
    {
        var settings = new RegistrySettings { Kind = RegistryKind.Proxy, Path = "hub", MaxBytes = maxBytes };
        foreach (var pin in pinned)
            settings.Pinned.Add(pin);
        Cases.Registries.Add("hub", settings);
        Cases.Content.MeasureAsync(Hub, default).ReturnsForAnyArgs(_ => Bytes);
        Cases.Content.ListOldestAsync(default!, default, default, default).ReturnsForAnyArgs(
            call => [.. _items.OrderBy(item => item.UsedAt).Where(item => call.Arg<CachedItem?>() is not { } after || !item.IsUpTo(after)).Take(3)]);
        Cases.Content.EvictAsync(default!, default!, default).ReturnsForAnyArgs(call => Evict(
            call.Arg<CachedItem>(), call.Arg<Func<IReadOnlyList<string>, bool>>()));
    }

    public UseCases Cases { get; } = new();

    public long Bytes => 100 * (_items.Count + _children.Values.Sum(children => children.Length));

    public List<string> Evicted { get; } = [];

    public IEnumerable<Digest> Left => _items.Select(item => item.Digest);

    public static Digest DigestOf(string name) => Digest.Of(Encoding.UTF8.GetBytes(name), DigestAlgorithm.Sha256);

    public static CachedItem Item(string name, long usedAt, params string[] tags)
        => new(new(Hub, RepositoryName.Parse($"team/{name}")), DigestOf(name), IsManifest: true, usedAt, tags);

    public void Add(CachedItem item, params CachedItem[] children)
    {
        _items.Add(item);
        if (children.Length > 0)
            _children.Add(item.Digest, children);
    }

    /// <summary>What another node evicts just before this one comes to it.</summary>
    public void AddStubborn(CachedItem item)
    {
        Add(item);
        _stubborn.Add(item.Digest);
    }

    public Task<CacheState> KeepAsync() => Cases.GetAsync(new EvictCachedCommand(Hub));

    public ValueTask DisposeAsync() => Cases.DisposeAsync();

    private EvictedItem? Evict(CachedItem item, Func<IReadOnlyList<string>, bool> isPinned)
    {
        if (_items.Find(other => other.Digest == item.Digest) is not { } found || isPinned(found.Tags))
            return null;
        _items.Remove(found);
        if (_stubborn.Contains(found.Digest))
            return null;
        Evicted.Add(found.Repository.Name.Value[5..]);
        _children.Remove(found.Digest, out var children);
        _items.AddRange(children ?? []);
        return new(100, 1, [new("default", found.Digest, $"cached/{found.Repository.Name}", 50)], children ?? []);
    }
}
