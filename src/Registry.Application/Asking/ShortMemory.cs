using System.Collections.Concurrent;

namespace Registry.Application.Asking;

/// <summary>What was found out a short while ago, each answer for a time of its own.</summary>
public sealed class ShortMemory<TKey, TAnswer>(TimeProvider time)
    where TKey : notnull
{
    private const int MaxEntries = 10_000;

    private readonly ConcurrentDictionary<TKey, (TAnswer Answer, long Since, TimeSpan For)> _answers = new();

    /// <summary>Whether there is an answer that still counts.</summary>
    public bool TryGet(TKey key, out TAnswer answer)
    {
        var known = _answers.TryGetValue(key, out var entry) && IsFresh(entry.Since, entry.For);
        answer = entry.Answer;
        return known;
    }

    /// <summary>Keeps an answer; one that counts for no time is not kept.</summary>
    public void Put(TKey key, TAnswer answer, TimeSpan lifetime)
    {
        if (lifetime <= TimeSpan.Zero)
            return;
        if (_answers.Count >= MaxEntries)
            Forget();
        _answers[key] = (answer, time.GetTimestamp(), lifetime);
    }

    private bool IsFresh(long since, TimeSpan lifetime) => time.GetElapsedTime(since) < lifetime;

    private void Forget()
    {
        foreach (var (key, (_, since, lifetime)) in _answers)
        {
            if (!IsFresh(since, lifetime))
                _answers.TryRemove(key, out _);
        }

        if (_answers.Count >= MaxEntries)
            _answers.Clear(); // they are asked for again, once each
    }
}
