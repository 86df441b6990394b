using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Registry.Domain.Uploads;

/// <summary>The id of an upload session: 128 random bits in the form of a UUID, so that it cannot be guessed.</summary>
public sealed record UploadId
{
    private UploadId(Guid value) => Value = value;

    public Guid Value { get; }

    public static UploadId Create() => new(new Guid(RandomNumberGenerator.GetBytes(16)));

    public static bool TryParse(string? text, [NotNullWhen(true)] out UploadId? id)
    {
        // "D" alone: a session has one spelling, so that one address names one session.
        id = Guid.TryParseExact(text, "D", out var value) && text == value.ToString("D") ? new(value) : null;
        return id is not null;
    }

    public static UploadId Parse(string text)
        => TryParse(text, out var id) ? id : throw new FormatException($"'{text}' is not an upload id.");

    public override string ToString() => Value.ToString("D");
}
