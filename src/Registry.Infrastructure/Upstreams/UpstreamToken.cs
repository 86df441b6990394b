using System.Text.Json;

namespace Registry.Infrastructure.Upstreams;

/// <summary>A bearer token.</summary>
/// <param name="Since">When it was asked for, as a timestamp.</param>
/// <param name="Lifetime">How long it is used.</param>
internal sealed record UpstreamToken(string Text, long Since, TimeSpan Lifetime)
{
    private const double DefaultSeconds = 60;
    private const double MostSeconds = 24 * 60 * 60;
    private const double MarginSeconds = 10;

    /// <summary>Reads what a token server answers; null when that is none.</summary>
    public static UpstreamToken? Read(ReadOnlyMemory<byte> answer, long since)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            if (document.RootElement.ValueKind is not JsonValueKind.Object
                || (Find(document.RootElement, "token") ?? Find(document.RootElement, "access_token")) is not { } text)
                return null;
            return new(text, since, Usable(document.RootElement));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // half a surrogate pair
        {
            return null;
        }
    }

    // Neither at its last second nor, for one that lives briefly, never at all.
    private static TimeSpan Usable(JsonElement answer)
    {
        var seconds = answer.TryGetProperty("expires_in", out var value) && value.ValueKind is JsonValueKind.Number
            && value.TryGetDouble(out var stated) && stated > 0
                ? Math.Min(stated, MostSeconds)
                : DefaultSeconds;
        return TimeSpan.FromSeconds(seconds - Math.Min(MarginSeconds, seconds / 4));
    }

    // As a header can carry it.
    private static string? Find(JsonElement answer, string name)
        => answer.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            && value.GetString() is { Length: > 0 } text && text.All(c => c is > ' ' and < '\x7f')
                ? text
                : null;
}
