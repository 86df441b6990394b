using System.Collections.Concurrent;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>What was found out a short while ago, each answer for a time of its own.</summary>
internal sealed class ShortMemory<T>(TimeProvider time)
{
    private const int MaxEntries = 10_000;

    private readonly ConcurrentDictionary<string, (T Answer, long Since, TimeSpan For)> _answers
        = new(StringComparer.Ordinal);

    public bool TryGet(string key, out T answer)
    {
        var known = _answers.TryGetValue(key, out var entry) && IsFresh(entry.Since, entry.For);
        answer = entry.Answer;
        return known;
    }

    public void Put(string key, T answer, TimeSpan lifetime)
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
