using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>What people write beside an account or token to find it again: one line, up to 255 characters.</summary>
internal static class Description
{
    private const int MaxLength = 255;

    /// <summary>Null when it can be kept.</summary>
    public static OciError? Refuse(string? text)
        => text is null || (text.Length <= MaxLength && !text.Any(char.IsControl))
            ? null
            : OciError.RequestInvalid($"A description is one line of up to {MaxLength} characters.");
}
