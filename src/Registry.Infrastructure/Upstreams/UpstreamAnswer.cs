using System.Globalization;
using System.Net.Http.Headers;

namespace Registry.Infrastructure.Upstreams;

/// <summary>
/// An answer whose body is still to come. While it is not disposed, it is one of the requests that are sent at once.
/// </summary>
internal sealed class UpstreamAnswer(HttpResponseMessage response, Action release) : IDisposable
{
    private int _released;

    public int Status => (int)response.StatusCode;

    /// <summary>Of the body, in bytes, or of the one that a GET would have.</summary>
    public long? Length => response.Content.Headers.ContentLength;

    public ContentRangeHeaderValue? Range => response.Content.Headers.ContentRange;

    public bool IsEncoded => response.Content.Headers.NonValidated.Contains("Content-Encoding");

    /// <summary>The value of a header that is there once; null otherwise.</summary>
    public string? Header(string name) => Header(response, name);

    public Task<Stream> OpenAsync(CancellationToken cancellationToken)
        => response.Content.ReadAsStreamAsync(cancellationToken);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
            return;
        response.Dispose();
        release();
    }

    /// <summary>How long the upstream wants to be left alone.</summary>
    public static TimeSpan Wait(HttpResponseMessage response, TimeProvider time)
        => RetryAfter.Read(Header(response, "Retry-After"), time.GetUtcNow());

    /// <summary>The number that a <c>RateLimit-*</c> header begins with, such as <c>76;w=21600</c>.</summary>
    public static long? Count(HttpResponseMessage response, string name)
        => Header(response, name)?.Split(';', ',')[0].Trim() is { } text
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                ? count
                : null;

    // As it was sent: parsed headers pass over what does not fit their grammar.
    private static string? Header(HttpResponseMessage response, string name)
    {
        if (!response.Headers.NonValidated.TryGetValues(name, out var values)
            && !response.Content.Headers.NonValidated.TryGetValues(name, out values))
            return null;
        return values.Count == 1 ? values.ToString() : null;
    }
}
