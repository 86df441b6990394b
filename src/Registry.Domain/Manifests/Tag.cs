using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Manifests;

/// <summary>A tag, <c>[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}</c> (distribution-spec, "Pulling manifests").</summary>
public sealed record Tag : Reference
{
    public const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed
        = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private Tag(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out Tag? tag)
    {
        var valid = text is { Length: > 0 and <= MaxLength } && text[0] is not ('.' or '-')
            && !text.AsSpan().ContainsAnyExcept(Allowed);
        tag = valid ? new(text!) : null;
        return valid;
    }

    public static new Tag Parse(string text)
        => TryParse(text, out var tag) ? tag : throw new FormatException($"'{text}' is not a tag.");

    public override string ToString() => Value;
}
