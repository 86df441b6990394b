using System.Text.Json;
using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;

namespace Registry.Infrastructure.Upstreams;

/// <summary>The descriptors of an image index that lists referrers (distribution-spec, "Listing Referrers").</summary>
internal static class ReferrersList
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Those that are well-formed; null when the document is no list.</summary>
    public static IReadOnlyList<Referrer>? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return document.RootElement.ValueKind is JsonValueKind.Object
                && document.RootElement.TryGetProperty("manifests", out var listed)
                && listed.ValueKind is JsonValueKind.Array
                    ? [.. listed.EnumerateArray().Select(Read).OfType<Referrer>()]
                    : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // half a surrogate pair
        {
            return null;
        }
    }

    private static Referrer? Read(JsonElement entry)
    {
        if (entry.ValueKind is not JsonValueKind.Object
            || !TryText(entry, "mediaType", out var mediaType) || mediaType is null
            || !MediaType.IsWellFormed(mediaType)
            || !TryText(entry, "digest", out var text) || !Digest.TryParse(text, out var digest)
            || !entry.TryGetProperty("size", out var length) || length.ValueKind is not JsonValueKind.Number
            || !length.TryGetInt64(out var size) || size < 0
            || !TryText(entry, "artifactType", out var artifactType)
            || !(string.IsNullOrEmpty(artifactType) || MediaType.IsWellFormed(artifactType))
            || !TryAnnotations(entry, out var annotations))
            return null;
        return new(mediaType, digest, size, string.IsNullOrEmpty(artifactType) ? null : artifactType, annotations);
    }

    // Absent is null, and another kind than a string is wrong.
    private static bool TryText(JsonElement entry, string name, out string? text)
    {
        text = null;
        if (!entry.TryGetProperty(name, out var value))
            return true;
        if (value.ValueKind is not JsonValueKind.String)
            return false;
        text = value.GetString();
        return true;
    }

    private static bool TryAnnotations(JsonElement entry, out string? annotations)
    {
        annotations = null;
        if (!entry.TryGetProperty("annotations", out var value) || value.ValueKind is JsonValueKind.Null)
            return true;
        if (value.ValueKind is not JsonValueKind.Object
            || value.EnumerateObject().Any(annotation => annotation.Value.ValueKind is not JsonValueKind.String))
            return false;
        annotations = value.GetRawText();
        return true;
    }
}
