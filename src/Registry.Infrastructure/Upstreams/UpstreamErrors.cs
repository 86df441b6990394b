using System.Text.Json;

namespace Registry.Infrastructure.Upstreams;

/// <summary>What an upstream says in words of why it refuses (distribution-spec, "Error Codes").</summary>
internal static class UpstreamErrors
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Whether one of these codes is in an answer's error envelope; not when it has none.</summary>
    /// <param name="patience">How long nothing of it may come.</param>
    public static async Task<bool> HasAnyAsync(
        HttpResponseMessage response, IReadOnlyList<string> codes, string upstream, TimeSpan patience,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var body = new UpstreamBody(
                upstream, await response.Content.ReadAsStreamAsync(cancellationToken), length: null, patience,
                _ => { });
            return await body.ReadAllAsync(MaxBytes, cancellationToken) is { } content && HasAny(content, codes);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return false;
        }
    }

    private static bool HasAny(ReadOnlyMemory<byte> content, IReadOnlyList<string> codes)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            return document.RootElement.ValueKind is JsonValueKind.Object
                && document.RootElement.TryGetProperty("errors", out var errors)
                && errors.ValueKind is JsonValueKind.Array
                && errors.EnumerateArray().Any(error => error.ValueKind is JsonValueKind.Object
                    && error.TryGetProperty("code", out var code) && code.ValueKind is JsonValueKind.String
                    && codes.Any(code.ValueEquals));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // half a surrogate pair
        {
            return false;
        }
    }
}
