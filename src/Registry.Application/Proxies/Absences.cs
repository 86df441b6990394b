using System.Collections.Concurrent;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// What upstreams did not have, or could not give, a short while ago: they are not asked for it again at once.
/// </summary>
internal sealed class Absences(TimeProvider time)
{
    private const int MaxEntries = 10_000;

    private readonly ConcurrentDictionary<(RepositoryIdentity, string), Absence> _known = [];

    /// <param name="what">A tag or digest.</param>
    public OciError? Find(RepositoryIdentity repository, object what)
        => _known.TryGetValue((repository, what.ToString()!), out var absence) && IsFresh(absence)
            ? absence.Error
            : null;

    public void Note(RepositoryIdentity repository, object what, OciError error, TimeSpan lifetime)
    {
        if (lifetime <= TimeSpan.Zero)
            return;
        if (_known.Count >= MaxEntries)
            Forget();
        _known[(repository, what.ToString()!)] = new(error, time.GetTimestamp(), lifetime);
    }

    private bool IsFresh(Absence absence) => time.GetElapsedTime(absence.Since) < absence.Lifetime;

    private void Forget()
    {
        foreach (var (key, absence) in _known)
        {
            if (!IsFresh(absence))
                _known.TryRemove(key, out _);
        }

        if (_known.Count >= MaxEntries)
            _known.Clear(); // they are asked for again, once each
    }

    private sealed record Absence(OciError Error, long Since, TimeSpan Lifetime);
}
