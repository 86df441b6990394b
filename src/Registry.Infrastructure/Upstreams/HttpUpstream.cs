using System.Text.Json;
using Microsoft.Extensions.Logging;
using Registry.Application.Manifests;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Application.Registries;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Upstreams;

/// <summary>The upstream of one proxy registry, over HTTP.</summary>
internal sealed class HttpUpstream : IUpstream, IDisposable
{
    private const int MaxReferrerPages = 100;
    private const int MaxReferrerBytes = 16 * 1024 * 1024;

    private static readonly string[] ManifestTypes =
    [
        MediaType.OciManifest.Value, MediaType.OciIndex.Value,
        MediaType.DockerManifest.Value, MediaType.DockerManifestList.Value,
    ];

    // The last two are what Harbor and Quay say of tags.
    private static readonly string[] ManifestUnknownCodes
        = ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "TAG_EXPIRED"];

    private readonly string _registry;
    private readonly UpstreamPlace _place;
    private readonly UpstreamCredentials _credentials;
    private readonly UpstreamAuthorities _authorities;
    private readonly UpstreamConnections _connections;
    private readonly UpstreamTokens _tokens;
    private readonly UpstreamRequests _requests;
    private readonly UpstreamMetrics _metrics;
    private readonly UpstreamState _state;
    private readonly TimeSpan _silence;
    private readonly int _maxManifestBytes;

    /// <param name="registry">Whose upstream it is.</param>
    /// <param name="maxManifestBytes">The largest manifest that is taken.</param>
    /// <exception cref="FormatException">The settings name no address or networks.</exception>
    public HttpUpstream(
        string registry, RegistrySettings settings, int maxManifestBytes, UpstreamMetrics metrics, TimeProvider time,
        ILogger logger)
    {
        (_registry, _metrics, _maxManifestBytes, _silence) = (registry, metrics, maxManifestBytes, settings.Timeout);
        _place = new(settings);
        var key = $"Registry:Registries:{registry}";
        _credentials = new(key, settings, time, logger);
        _authorities = new(key, settings, time, logger);
        _connections = new(_place, _authorities, settings.Timeout);
        _tokens = new(_place, _credentials, _connections, time, settings.Timeout);
        _requests = new(
            registry, _place, _connections, new(_place, _credentials, _tokens), new(_place.Name, time), metrics,
            settings.MaxConnections, settings.Timeout, time);
        _state = new(registry, _place.Name, logger);
    }

    /// <exception cref="StartRefusedException">
    /// The file of the password, or that of authorities, cannot be used.
    /// </exception>
    public void Open()
    {
        _credentials.Open();
        _authorities.Open();
    }

    public async Task<Result<Digest?>> FindManifestAsync(
        RepositoryName repository, Reference reference, CancellationToken cancellationToken)
        => _state.Observe(await HeadManifestAsync(repository, reference, cancellationToken));

    public async Task<Result<StoredManifest>> GetManifestAsync(
        RepositoryName repository, Reference reference, CancellationToken cancellationToken)
        => _state.Observe(await ReadManifestAsync(
            ToManifest(HttpMethod.Get, repository, reference), reference, cancellationToken));

    public async Task<Result<long>> FindBlobAsync(
        RepositoryName repository, Digest digest, CancellationToken cancellationToken)
        => _state.Observe(await HeadBlobAsync(repository, digest, cancellationToken));

    public async Task<Result<UpstreamBlob>> OpenBlobAsync(
        RepositoryName repository, Digest digest, long offset, CancellationToken cancellationToken)
        => _state.Observe(await GetBlobAsync(repository, digest, offset, cancellationToken));

    public async Task<Result<IReadOnlyList<Referrer>>> ListReferrersAsync(
        RepositoryName repository, Digest subject, CancellationToken cancellationToken)
        => _state.Observe(await ReadReferrersAsync(repository, subject, cancellationToken));

    public void Dispose()
    {
        _tokens.Dispose();
        _connections.Dispose();
        _requests.Dispose();
    }

    private async Task<Result<Digest?>> HeadManifestAsync(
        RepositoryName repository, Reference reference, CancellationToken cancellationToken)
    {
        var request = ToManifest(HttpMethod.Head, repository, reference) with { AlsoGood = [405, 501] };
        var sent = await _requests.SendAsync(request, cancellationToken);
        if (!sent.TryGet(out var answer, out var errors))
            return Result<Digest?>.Refused(errors);
        using (answer)
        {
            if (answer.Status != 200 || !Digest.TryParse(answer.Header("Docker-Content-Digest"), out var digest))
                return Result<Digest?>.Of(null);
            return reference is Digest asked && asked.Algorithm == digest.Algorithm && asked != digest
                ? Fault($"has {digest} where {asked} was asked for")
                : Result<Digest?>.Of(reference as Digest ?? digest);
        }
    }

    private async Task<Result<StoredManifest>> ReadManifestAsync(
        UpstreamRequest request, Reference reference, CancellationToken cancellationToken)
    {
        var sent = await _requests.SendAsync(request, cancellationToken);
        if (!sent.TryGet(out var answer, out var errors))
            return Result<StoredManifest>.Refused(errors);
        using (answer)
        {
            if (!MediaType.TryParse(answer.Header("Content-Type"), out var mediaType))
                return Fault("does not say of which type the manifest is");
            var read = await ReadAsync(answer, _maxManifestBytes, cancellationToken);
            if (!read.TryGet(out var content, out errors))
                return Result<StoredManifest>.Refused(errors);
            if (!IsJsonObject(content))
                return Fault("sends a manifest that is no JSON");

            var said = reference as Digest
                ?? (Digest.TryParse(answer.Header("Docker-Content-Digest"), out var header) ? header : null);
            var digest = Digest.Of(content, said?.Algorithm ?? DigestAlgorithm.Sha256);
            return said is null || said == digest
                ? new StoredManifest(digest, mediaType, content.Length, content)
                : Fault($"sends another manifest than {said}");
        }
    }

    private async Task<Result<long>> HeadBlobAsync(
        RepositoryName repository, Digest digest, CancellationToken cancellationToken)
    {
        var sent = await _requests.SendAsync(ToBlob(HttpMethod.Head, repository, digest), cancellationToken);
        if (!sent.TryGet(out var answer, out var errors))
            return Result<long>.Refused(errors);
        using (answer)
        {
            return answer.IsEncoded ? Encoded()
                : answer.Length is { } length ? length
                : Fault("does not say how long the blob is");
        }
    }

    private async Task<Result<UpstreamBlob>> GetBlobAsync(
        RepositoryName repository, Digest digest, long offset, CancellationToken cancellationToken)
    {
        var request = ToBlob(HttpMethod.Get, repository, digest) with
        {
            Offset = offset,
            AlsoGood = offset > 0 ? [206] : [],
        };
        var sent = await _requests.SendAsync(request, cancellationToken);
        if (!sent.TryGet(out var answer, out var errors))
            return Result<UpstreamBlob>.Refused(errors);
        var handedOver = false;
        try
        {
            if (answer.IsEncoded)
                return Encoded();
            if (SizeOf(answer, offset) is not { } size)
                return Fault($"does not say how long the blob is, or sends another range of it than from {offset} on");
            var skipped = answer.Status == 206 ? 0 : offset;
            var body = await OpenAsync(answer, size - offset + skipped, cancellationToken);
            await body.SkipAsync(skipped, cancellationToken);
            handedOver = true;
            return new UpstreamBlob(size, body, answer);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return Broken(e);
        }
        finally
        {
            if (!handedOver)
                answer.Dispose();
        }
    }

    // Null when it cannot be told, or what comes is not what was asked for.
    private static long? SizeOf(UpstreamAnswer answer, long offset)
    {
        if (answer.Status == 200)
            return answer.Length >= offset ? answer.Length : null;
        return answer.Range is { Unit: "bytes", Length: { } total, From: { } from, To: { } to }
            && from == offset && to == total - 1 && (answer.Length ?? total - offset) == total - offset
                ? total
                : null;
    }

    private async Task<Result<IReadOnlyList<Referrer>>> ReadReferrersAsync(
        RepositoryName repository, Digest subject, CancellationToken cancellationToken)
    {
        var referrers = new Dictionary<Digest, Referrer>();
        var (next, bytes) = (_place.Referrers(repository, subject), 0);
        for (var pages = 0; pages < MaxReferrerPages && bytes <= MaxReferrerBytes; pages++)
        {
            var request = new UpstreamRequest(HttpMethod.Get, next, repository, OciError.ManifestUnknown(subject))
            {
                Accept = [MediaType.OciIndex.Value],
            };
            var sent = await _requests.SendAsync(request, cancellationToken);
            if (!sent.TryGet(out var answer, out var errors))
            {
                return pages == 0 && errors[0] is { Reason: ErrorReason.NotFound, MayExist: false }
                    ? await ReadFallbackAsync(repository, subject, cancellationToken)
                    : Result<IReadOnlyList<Referrer>>.Refused(errors);
            }

            using (answer)
            {
                var read = await ReadAsync(answer, _maxManifestBytes, cancellationToken);
                if (!read.TryGet(out var content, out errors))
                    return Result<IReadOnlyList<Referrer>>.Refused(errors);
                if (ReferrersList.Read(content) is not { } listed)
                    return Fault("sends a list of referrers that is none");
                bytes += content.Length;
                foreach (var referrer in listed)
                    referrers.TryAdd(referrer.Digest, referrer);
                if (NextPage.Find(answer.Header("Link")) is not { } link)
                    return Result<IReadOnlyList<Referrer>>.Of([.. referrers.Values]);
                if (UpstreamPlace.Resolve(next, link) is not { } page || !_place.IsUpstream(page))
                    return Fault("continues its list of referrers elsewhere");
                next = page;
            }
        }

        return Fault("lists more referrers than anybody can have");
    }

    // Of the names that a digest has as a tag, one is short enough for all (distribution-spec, "Referrers Tag Schema").
    private async Task<Result<IReadOnlyList<Referrer>>> ReadFallbackAsync(
        RepositoryName repository, Digest subject, CancellationToken cancellationToken)
    {
        var tag = Tag.Parse($"{subject.Algorithm}-{subject.Hex[..64]}");
        var request = ToManifest(HttpMethod.Get, repository, tag) with { UnknownCodes = [] };
        var read = await ReadManifestAsync(request, tag, cancellationToken);
        return read.Match(
            manifest => ReferrersList.Read(manifest.Content) is { } listed
                ? Result<IReadOnlyList<Referrer>>.Of([.. listed.DistinctBy(referrer => referrer.Digest)])
                : Fault($"has no list of referrers under the tag {tag}"),
            errors => errors[0] is { Reason: ErrorReason.NotFound, MayExist: false }
                ? Result<IReadOnlyList<Referrer>>.Of([])
                : Result<IReadOnlyList<Referrer>>.Refused(errors));
    }

    private UpstreamRequest ToManifest(HttpMethod method, RepositoryName repository, Reference reference)
        => new(method, _place.Manifest(repository, reference), repository, OciError.ManifestUnknown(reference))
        {
            Accept = ManifestTypes,
            UnknownCodes = ManifestUnknownCodes,
        };

    private UpstreamRequest ToBlob(HttpMethod method, RepositoryName repository, Digest digest)
        => new(method, _place.Blob(repository, digest), repository, OciError.BlobUnknown(digest));

    private async Task<Result<byte[]>> ReadAsync(UpstreamAnswer answer, int limit, CancellationToken cancellationToken)
    {
        if (answer.IsEncoded)
            return Encoded();
        if (answer.Length > limit)
            return TooLarge(limit);
        try
        {
            await using var body = await OpenAsync(answer, answer.Length, cancellationToken);
            return await body.ReadAllAsync(limit, cancellationToken) is { } content ? content : TooLarge(limit);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return Broken(e);
        }
    }

    private async Task<UpstreamBody> OpenAsync(
        UpstreamAnswer answer, long? length, CancellationToken cancellationToken)
        => new(
            _place.Name, await answer.OpenAsync(cancellationToken), length, _silence,
            bytes => _metrics.CountBytes(_registry, bytes));

    private static bool IsJsonObject(ReadOnlySpan<byte> content)
    {
        try
        {
            var reader = new Utf8JsonReader(content);
            var isObject = reader.Read() && reader.TokenType is JsonTokenType.StartObject;
            while (reader.Read())
            {
                // To its end.
            }

            return isObject;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private OciError Encoded() => Fault("sends content that is encoded, which nobody asked for");

    private OciError TooLarge(int limit) => Fault($"sends more than {limit >> 10} KiB where a manifest should be");

    private OciError Broken(Exception failure)
        => OciError.UpstreamUnavailable(_place.Name, $"broke off in the middle ({failure.GetBaseException().Message})");

    private OciError Fault(string cause) => OciError.UpstreamFault(_place.Name, cause);
}
