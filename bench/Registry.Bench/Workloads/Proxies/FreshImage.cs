using System.Text;
using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads.Proxies;

/// <summary>An image whose config and layers nobody has seen before.</summary>
internal sealed class FreshImage
{
    private readonly string _repository;
    private readonly string _tag = Guid.NewGuid().ToString();
    private readonly byte[] _config;
    private readonly byte[] _manifest;
    private readonly string _configDigest;
    private readonly IReadOnlyList<LongBlob> _layers;

    /// <param name="layerBytes">A multiple of a mebibyte.</param>
    public FreshImage(string repository, int layers, long layerBytes)
    {
        _repository = repository;
        _config = Encoding.ASCII.GetBytes($$"""{"nonce":"{{_tag}}"}""");
        _configDigest = Image.DigestOf(_config);
        _layers = [.. Enumerable.Range(0, layers).Select(_ => new LongBlob(layerBytes))];
        _manifest = Image.Manifest(
            _tag, (_configDigest, _config.Length), _layers.Select(layer => (layer.Digest, layer.Length)));
    }

    /// <param name="prefix">What its repository's name begins with where it is pulled from.</param>
    public string ManifestPath(string prefix) => $"/v2/{prefix}{_repository}/manifests/{_tag}";

    /// <summary>Of the config and then of the layers.</summary>
    /// <inheritdoc cref="ManifestPath"/>
    public IReadOnlyList<string> BlobPaths(string prefix)
        =>
        [
            .. _layers.Select(layer => layer.Digest).Prepend(_configDigest)
                .Select(digest => $"/v2/{prefix}{_repository}/blobs/{digest}"),
        ];

    public void Push(Target target)
    {
        using var connection = new HttpConnection(target.Address);
        Image.PushBlob(target, connection, _repository, _config, _configDigest);
        foreach (var layer in _layers)
            layer.Push(target, connection, _repository);
        Image.PutManifest(target, connection, _repository, _tag, _manifest);
    }
}
