using System.Text.Json;

namespace Registry.Infrastructure.Stores;

/// <summary>
/// The small file at the top of a store that says whose it is, in which layout, and which store of all. It keeps a
/// store from being used by two kinds of software, and another one from being taken for it.
/// </summary>
internal sealed record StoreMark(string? Product, int Layout, string? Id)
{
    public const string FileName = "registry-store.json";

    private const string OurProduct = "registry";
    private const int OurLayout = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static StoreMark Create() => new(OurProduct, OurLayout, Guid.NewGuid().ToString());

    /// <summary>Null when the content is no mark at all.</summary>
    public static StoreMark? Parse(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize<StoreMark>(content, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Why the store must not be used, as the end of a sentence, and what to do; null when it may.</summary>
    /// <param name="known">The id that the store must have; null when any will do.</param>
    /// <param name="place">Where the mark is.</param>
    /// <param name="kind">What a store is in: a folder, a bucket.</param>
    public static (string Problem, string Fix)? FindFault(
        StoreMark? mark, string? known, string place, string kind) => mark switch
    {
        { Product: OurProduct, Layout: > OurLayout }
            => ($"has layout {mark.Layout}, this version knows layouts up to {OurLayout}",
                "Run the newer version that has used it."),
        not { Product: OurProduct, Layout: OurLayout, Id.Length: > 0 }
            => ($"belongs to something else ('{place}' says so)", $"Choose an empty {kind}."),
        _ when known is not null && known != mark.Id
            => ($"is not the {kind} that the database knows as this store",
                $"Name that {kind}, or the database that belongs to this one."),
        _ => null,
    };

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}
