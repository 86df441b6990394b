namespace Registry.Infrastructure.Stores;

/// <summary>What comes behind the bytes that were read.</summary>
internal enum ContentEnd
{
    NotYet,
    Complete,

    /// <summary>The client went away, or sent less than it announced.</summary>
    BrokenOff,
}

internal static class ContentReading
{
    /// <summary>Reads until <paramref name="buffer"/> is full or nothing more comes.</summary>
    /// <returns>How many bytes came. All of them count, even when the client is gone.</returns>
    public static async ValueTask<(int Count, ContentEnd End)> FillAsync(
        this Stream content, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = 0;
        try
        {
            while (count < buffer.Length)
            {
                var read = await content.ReadAsync(buffer[count..], cancellationToken);
                if (read == 0)
                    return (count, ContentEnd.Complete);
                count += read;
            }

            return (count, ContentEnd.NotYet);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            return (count, ContentEnd.BrokenOff);
        }
    }
}
