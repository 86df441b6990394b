using System.Net;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Outbound;

namespace Registry.Infrastructure.Upstreams;

/// <summary>
/// Where an upstream is, and which other places may have to do with it: who may be shown the credentials (S-4), and
/// where connections may lead (S-17).
/// </summary>
internal sealed class UpstreamPlace
{
    private readonly Uri _address;
    private readonly string _base;
    private readonly IReadOnlyList<string> _tokenHosts;
    private readonly IPNetwork[] _networks;

    /// <exception cref="FormatException">Address or networks are none.</exception>
    public UpstreamPlace(RegistrySettings settings)
    {
        _address = new(settings.Upstream);
        _base = _address.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _tokenHosts = settings.TokenHosts.Count == 0 && DockerHub.Is(_address)
            ? [DockerHub.TokenHost]
            : [.. settings.TokenHosts];
        _networks = [.. settings.AllowedNetworks.Select(IPNetwork.Parse)];
    }

    /// <summary>Its host, with the port if that is not the scheme's own.</summary>
    public string Name => _address.Authority;

    public Uri Manifest(RepositoryName repository, Reference reference)
        => new($"{_base}/v2/{repository}/manifests/{reference}");

    public Uri Blob(RepositoryName repository, Digest digest) => new($"{_base}/v2/{repository}/blobs/{digest}");

    public Uri Referrers(RepositoryName repository, Digest subject)
        => new($"{_base}/v2/{repository}/referrers/{subject}");

    /// <summary>Whether a place is the upstream itself: scheme, host and port.</summary>
    public bool IsUpstream(Uri place)
        => place.Scheme == _address.Scheme && place.Host == _address.Host && place.Port == _address.Port;

    /// <summary>Whether tokens may be got there, and credentials be shown for them.</summary>
    public bool IsTokenServer(Uri place)
        => IsUpstream(place)
            || (!LosesTls(place) && _tokenHosts.Any(host
                => Uri.TryCreate($"{place.Scheme}://{host}", UriKind.Absolute, out var pinned)
                    && pinned.Host == place.Host && pinned.Port == place.Port));

    /// <summary>Whether what is said there could be overheard, while it could not be at the upstream.</summary>
    public bool LosesTls(Uri place) => LosesTls(_address, place);

    /// <inheritdoc cref="LosesTls(Uri)"/>
    public static bool LosesTls(Uri from, Uri to)
        => from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps;

    /// <summary>The web address that a header at one place names; null when it names none.</summary>
    public static Uri? Resolve(Uri at, string location)
    {
        // A path by itself would be taken for one of a file.
        var text = location.StartsWith("//", StringComparison.Ordinal) ? $"{at.Scheme}:{location}"
            : location.StartsWith('/') ? at.GetLeftPart(UriPartial.Authority) + location
            : location;
        return Uri.TryCreate(at, text, out var place) && place.UserInfo.Length == 0
            && (place.Scheme == Uri.UriSchemeHttp || place.Scheme == Uri.UriSchemeHttps)
                ? place
                : null;
    }

    /// <summary>
    /// What a message begins with that is about an answer from there: nothing for the upstream itself.
    /// </summary>
    public string At(Uri place) => IsUpstream(place) ? "" : $"sends to {place.Authority}, which ";

    /// <summary>Whether a connection to that place may lead to the address, which its name resolves to.</summary>
    public bool IsAllowed(DnsEndPoint place, IPAddress address)
        => AddressGuard.IsPublic(address) || IsInAllowedNetwork(address) || (IsUpstream(place) && IsNamed(address));

    // A connection's IPv6 address stands in brackets.
    private bool IsUpstream(DnsEndPoint place)
        => place.Port == _address.Port
            && place.Host.Trim('[', ']').Equals(_address.IdnHost, StringComparison.OrdinalIgnoreCase);

    private bool IsInAllowedNetwork(IPAddress address)
    {
        var plain = Plain(address);
        return Array.Exists(_networks, network => network.Contains(plain));
    }

    // Who writes an address, or this machine's name, means it.
    private bool IsNamed(IPAddress address)
        => _address.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6
            ? Plain(IPAddress.Parse(_address.IdnHost)).Equals(Plain(address))
            : _address.Host == "localhost" && IPAddress.IsLoopback(address);

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
