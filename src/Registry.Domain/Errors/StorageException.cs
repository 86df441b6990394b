namespace Registry.Domain.Errors;

/// <summary>Storage or database failed; what was being written is rolled back.</summary>
/// <param name="error">What the client is told.</param>
/// <param name="cause">What the log is told.</param>
public sealed class StorageException(OciError error, Exception cause) : Exception(error.Message, cause)
{
    public OciError Error { get; } = error;
}
