using System.Text.Json;
using System.Text.Json.Serialization;

namespace Registry.Infrastructure.S3;

/// <param name="ETag">The server's word for the part, which ending the upload asks for.</param>
/// <param name="Size">In bytes.</param>
internal sealed record StagedPart(
    [property: JsonPropertyName("e")] string ETag, [property: JsonPropertyName("s")] long Size);

/// <summary>
/// Where the bytes of an upload are between two requests: what its session keeps as state, so that any node can go on.
/// </summary>
/// <param name="Upload">Id of the multipart upload; null while there is none.</param>
/// <param name="Parts">Its parts, by number from 1.</param>
/// <param name="Rest">Name of the object with the bytes behind the parts; null when there are none.</param>
/// <param name="RestBytes">Length of the rest.</param>
/// <param name="OldRest">The rest before, which nobody needs any more.</param>
internal sealed record StagedParts(
    [property: JsonPropertyName("u")] string? Upload,
    [property: JsonPropertyName("p")] IReadOnlyList<StagedPart> Parts,
    [property: JsonPropertyName("r")] string? Rest,
    [property: JsonPropertyName("n")] long RestBytes,
    [property: JsonPropertyName("o")] string? OldRest)
{
    public static readonly StagedParts None = new(null, [], null, 0, null);

    [JsonIgnore]
    public long Size => Parts.Sum(part => part.Size) + RestBytes;

    public static StagedParts Parse(string? state)
        => state is null ? None : JsonSerializer.Deserialize<StagedParts>(state) ?? None;

    public override string ToString() => JsonSerializer.Serialize(this);
}
