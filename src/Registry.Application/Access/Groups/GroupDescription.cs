using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>What people say of a group: a line of up to 500 characters.</summary>
internal static class GroupDescription
{
    private const int MaxLength = 500;

    public static OciError? Refuse(string text)
        => text.Length > MaxLength || text.Any(char.IsControl)
            ? OciError.RequestInvalid(
                FormattableString.Invariant($"A description is one line of up to {MaxLength} characters."))
            : null;
}
