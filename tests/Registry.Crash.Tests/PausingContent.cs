using System.Net;

namespace Registry.Crash.Tests;

/// <summary>A request body that stops in its middle until it is told to go on: a transfer that is surely in flight.</summary>
/// <param name="start">Where in the content the body begins.</param>
internal sealed class PausingContent(GeneratedContent content, long pauseAt, long start = 0) : HttpContent
{
    private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when everything before the pause has left.</summary>
    public Task Paused => _paused.Task;

    public void GoOn() => _goOn.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await content.Open(start, pauseAt - start).CopyToAsync(stream);
        await stream.FlushAsync();
        _paused.TrySetResult();
        await _goOn.Task;
        await content.Open(pauseAt, content.Length - pauseAt).CopyToAsync(stream);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = content.Length - start;
        return true;
    }
}
