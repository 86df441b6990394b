using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>What the password of a local user must be like.</summary>
public static class PasswordPolicy
{
    public const int MinLength = 8;

    /// <summary>What fits into the header that brings it, and is not worth more.</summary>
    public const int MaxLength = 512;

    /// <summary>Why it is none, without repeating it; null when it is one.</summary>
    public static string? Problem(AccountName user, string password)
        => password.Length < MinLength ? FormattableString.Invariant($"it must have {MinLength} characters or more")
            : password.Length > MaxLength ? FormattableString.Invariant($"it may have up to {MaxLength} characters")
            : password.Any(char.IsControl) ? "it may have no control characters (RFC 7617)"
            : password.Equals(user.Value, StringComparison.OrdinalIgnoreCase) ? "it must not be the user's name"
            : null;

    /// <inheritdoc cref="Problem"/>
    internal static OciError? Refuse(AccountName user, string password)
        => Problem(user, password) is { } problem
            ? OciError.RequestInvalid($"The password is refused: {problem}.")
            : null;
}
