using System.Text;
using System.Text.Json;
using Xunit.Sdk;

namespace Registry.Testing;

/// <summary>A response, read to its end.</summary>
/// <param name="Request">Method and path, for the messages of failed assertions.</param>
public sealed record Answer(string Request, int Status, IReadOnlyList<KeyValuePair<string, string>> Headers,
    byte[] Body)
{
    /// <summary>The codes of distribution-spec, "Error Codes": all that a 4xx answer may carry.</summary>
    public static readonly IReadOnlySet<string> SpecCodes = new HashSet<string>(StringComparer.Ordinal)
    {
        "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED",
        "DENIED",
        "UNSUPPORTED", "TOOMANYREQUESTS",
    };

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Body);
            return document.RootElement.Clone();
        }
    }

    /// <summary>The header's value, several lines joined by a comma; null when absent.</summary>
    public string? Header(string name)
    {
        var values = Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(header => header.Value);
        var joined = string.Join(", ", values);
        return joined.Length == 0
            && !Headers.Any(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)) ? null : joined;
    }

    public string Location => Header("Location") ?? throw new XunitException($"{this} has no Location.");

    public Answer Expect(params int[] statuses)
        => statuses.Contains(Status) ? this
            : throw new XunitException($"Expected {string.Join(" or ", statuses)}, but {this}");

    public Answer ExpectHeader(string name, string? value)
        => Header(name) == value
            ? this
            : throw new XunitException($"Expected {name}: {value ?? "(absent)"}, not {Header(name) ?? "(absent)"}: {this}");

    /// <summary>Asserts status and error code; the envelope is checked by <see cref="ErrorCodes"/>.</summary>
    public Answer ExpectError(int status, params string[] codes)
    {
        Expect(status);
        return ErrorCodes().Any(codes.Contains)
            ? this
            : throw new XunitException($"Expected the code {string.Join(" or ", codes)}, but {this}");
    }

    /// <summary>The codes in the envelope of distribution-spec, "Error Codes"; fails when the body is anything else.</summary>
    public IReadOnlyList<string> ErrorCodes()
    {
        try
        {
            var errors = Json.GetProperty("errors").EnumerateArray()
                .Select(error => error.GetProperty("code").GetString()!).ToList();
            return errors.Count > 0 && errors.All(code => SpecCodes.Contains(code)
                || (Status >= 500 && code is "UNKNOWN" or "UNAVAILABLE"))
                ? errors
                : throw new XunitException($"Expected codes of the specification, but {this}");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new XunitException($"Expected an error envelope, but {this}", e);
        }
    }

    public override string ToString()
        => $"{Request} -> {Status} [{string.Join("; ", Headers.Select(header => $"{header.Key}: {header.Value}"))}] "
            + (Text.Length > 1000 ? Text[..1000] : Text);
}
