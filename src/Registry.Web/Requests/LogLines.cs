using System.Buffers;

namespace Registry.Web.Requests;

/// <summary>
/// Lines on their way to a stream. Whoever logs leaves his line in memory; a thread writes what has gathered, a hundred
/// times a second at most, so that a line costs no call to the system.
/// </summary>
internal sealed class LogLines : IDisposable
{
    // Then whoever logs waits: a log that nobody reads must not fill the memory, nor lose lines.
    private const int MostBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _added = new(initialState: false);
    private readonly ManualResetEventSlim _room = new(initialState: true);
    private readonly Stream _output;
    private readonly Thread _writer;
    private ArrayBufferWriter<byte> _gathering = new();
    private ArrayBufferWriter<byte> _writing = new();
    private volatile bool _over;

    public LogLines(Stream output)
    {
        _output = output;
        _writer = new(Run) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    /// <param name="line">With its line break.</param>
    public void Add(ReadOnlySpan<byte> line)
    {
        _room.Wait();
        bool first;
        lock (_gate)
        {
            first = _gathering.WrittenCount == 0;
            _gathering.Write(line);
            if (_gathering.WrittenCount > MostBytes)
                _room.Reset();
        }

        if (first)
            _added.Set();
    }

    /// <summary>Writes what has gathered, and ends.</summary>
    public void Dispose()
    {
        if (_over)
            return;
        _over = true;
        _added.Set();
        _writer.Join();
        _added.Dispose();
        _room.Dispose();
    }

    private void Run()
    {
        bool last;
        do
        {
            _added.WaitOne();
            last = _over;
            lock (_gate)
            {
                (_gathering, _writing) = (_writing, _gathering);
                _room.Set();
            }

            try
            {
                _output.Write(_writing.WrittenSpan);
                _output.Flush();
            }
            catch (IOException)
            {
                // Whoever read the log is gone: the server serves on.
            }

            _writing.ResetWrittenCount();
            if (!last)
                Thread.Sleep(Pace);
        }
        while (!last);
    }
}
