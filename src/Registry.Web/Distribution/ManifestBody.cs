using System.Buffers;
using System.IO.Pipelines;

namespace Registry.Web.Distribution;

/// <summary>Reads the one kind of body that is read whole.</summary>
internal static class ManifestBody
{
    /// <summary>The body; null, without reading on, when it is longer than <paramref name="limit"/> bytes.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(
        HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
            return null;

        while (true)
        {
            var read = await ReadOnAsync(request, cancellationToken);
            if (read.Buffer.Length > limit)
                return null;
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return body;
            }

            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    // A connection that is reset, or a chunk whose size is no number, is the client's fault and no failure of the
    // server.
    private static async ValueTask<ReadResult> ReadOnAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await request.BodyReader.ReadAsync(cancellationToken);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw new BadHttpRequestException("The body broke off.", e);
        }
    }
}
