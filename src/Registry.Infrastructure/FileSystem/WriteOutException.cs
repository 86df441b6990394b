namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// Bytes that were written earlier did not get to the disk. The system has told it now and will not again, not even at
/// a flush: what the file holds must not be relied on.
/// </summary>
internal sealed class WriteOutException(string message, int error) : IOException(message, error);
