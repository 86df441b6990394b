using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Manifests;

/// <summary>A media type without parameters, in RFC 6838's grammar.</summary>
public sealed record MediaType
{
    public static readonly MediaType OciManifest = new("application/vnd.oci.image.manifest.v1+json");
    public static readonly MediaType OciIndex = new("application/vnd.oci.image.index.v1+json");
    public static readonly MediaType OciEmpty = new("application/vnd.oci.empty.v1+json");
    public static readonly MediaType DockerManifest = new("application/vnd.docker.distribution.manifest.v2+json");
    public static readonly MediaType DockerManifestList
        = new("application/vnd.docker.distribution.manifest.list.v2+json");

    private static readonly SearchValues<char> NameCharacters
        = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+");

    private MediaType(string value) => Value = value;

    public string Value { get; }

    /// <summary>Layers a registry need not hold: they are fetched from their own <c>urls</c>.</summary>
    public bool IsNonDistributableLayer
        => Value.StartsWith("application/vnd.oci.image.layer.nondistributable.v1.tar", StringComparison.Ordinal)
            || Value.StartsWith("application/vnd.docker.image.rootfs.foreign.diff.tar", StringComparison.Ordinal);

    /// <summary>A type that a registry takes manifests of.</summary>
    public bool IsManifest => Equals(OciManifest) || IsIndex || Equals(DockerManifest);

    /// <summary>A list of manifests, OCI's or Docker's.</summary>
    public bool IsIndex => Equals(OciIndex) || Equals(DockerManifestList);

    /// <summary>Docker's first manifest format, signed or not, which no current client can use.</summary>
    public bool IsSchema1
        => Value is "application/vnd.docker.distribution.manifest.v1+json"
            or "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>Reads a media type; parameters behind a semicolon are dropped.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MediaType? mediaType)
    {
        var bare = text is null || text.Length > 1024 ? "" : text.Split(';', 2)[0].Trim(' ', '\t'); // RFC 9110's OWS
        mediaType = IsWellFormed(bare) ? new(bare) : null;
        return mediaType is not null;
    }

    public static MediaType Parse(string text)
        => TryParse(text, out var mediaType) ? mediaType : throw new FormatException($"'{text}' is not a media type.");

    public override string ToString() => Value;

    /// <summary>
    /// Whether the text as it stands, without parameters and blanks, is a media type (RFC 6838, section 4.2).
    /// </summary>
    public static bool IsWellFormed(string text)
        => text.IndexOf('/', StringComparison.Ordinal) is var slash and > 0
            && IsRestrictedName(text.AsSpan(0, slash)) && IsRestrictedName(text.AsSpan(slash + 1));

    private static bool IsRestrictedName(ReadOnlySpan<char> name)
        => name.Length is > 0 and <= 127 && char.IsAsciiLetterOrDigit(name[0])
            && !name.ContainsAnyExcept(NameCharacters);
}
