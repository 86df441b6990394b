namespace Registry.Application.Access;

/// <summary>
/// Lets one at a time do something about the same key. Who would wait too long, or behind too many, is turned away.
/// </summary>
internal sealed class Turns
{
    private const int MaxWaiting = 200;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Turn> _turns = new(StringComparer.Ordinal);

    /// <returns>Ends the turn when it is disposed of; null when none is to be had.</returns>
    public async Task<IDisposable?> TakeAsync(string key, CancellationToken cancellationToken)
    {
        Turn? turn;
        lock (_turns)
        {
            if (!_turns.TryGetValue(key, out turn))
                _turns[key] = turn = new(this, key);
            if (turn.Takers > MaxWaiting)
                return null;
            turn.Takers++;
        }

        try
        {
            if (await turn.Free.WaitAsync(MaxWait, cancellationToken))
                return turn;
        }
        catch
        {
            Leave(turn);
            throw;
        }

        Leave(turn);
        return null;
    }

    private void Leave(Turn turn)
    {
        lock (_turns)
        {
            if (--turn.Takers > 0)
                return;
            _turns.Remove(turn.Key);
            turn.Free.Dispose();
        }
    }

    private sealed class Turn(Turns all, string key) : IDisposable
    {
        public string Key => key;

        public SemaphoreSlim Free { get; } = new(1, 1);

        public int Takers { get; set; }

        public void Dispose()
        {
            Free.Release();
            all.Leave(this);
        }
    }
}
