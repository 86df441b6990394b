using Registry.Domain.Errors;

namespace Registry.Infrastructure.FileSystem;

/// <summary>What the operating system says about a store's files, as the port says it.</summary>
internal sealed class StoreFaults(string store)
{
    private const int NoSpace = 28; // ENOSPC
    private const int TooBig = 27; // EFBIG
    private const int QuotaReached = 122; // EDQUOT
    private const int WindowsDiskFull = unchecked((int)0x80070070); // ERROR_DISK_FULL

    // The framework reports EFBIG, alone among the errors of a file, as an argument out of range.
    public static bool Covers(Exception exception)
        => exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException;

    public StorageException Of(Exception cause)
        => new(
            cause is ArgumentOutOfRangeException
                || cause.HResult is NoSpace or TooBig or QuotaReached or WindowsDiskFull
                ? OciError.StoreFull()
                : OciError.Unavailable($"store '{store}'"),
            cause);

    /// <exception cref="StorageException">The action failed at the store.</exception>
    public T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception cause) when (Covers(cause))
        {
            throw Of(cause);
        }
    }

    /// <inheritdoc cref="Guard{T}"/>
    public void Guard(Action action) => Guard(() =>
    {
        action();
        return true;
    });
}
