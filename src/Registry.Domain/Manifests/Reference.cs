using System.Diagnostics.CodeAnalysis;
using Registry.Domain.Blobs;

namespace Registry.Domain.Manifests;

/// <summary>What names a manifest: a <see cref="Tag"/> or a <see cref="Digest"/>; a colon tells them apart.</summary>
public abstract record Reference
{
    private protected Reference()
    {
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out Reference? reference)
    {
        reference = text?.Contains(':', StringComparison.Ordinal) == true
            ? Digest.TryParse(text, out var digest) ? digest : null
            : Tag.TryParse(text, out var tag) ? tag : null;
        return reference is not null;
    }

    public static Reference Parse(string text)
        => TryParse(text, out var reference)
            ? reference
            : throw new FormatException($"'{text}' is neither a tag nor a digest.");
}
