using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Registry.Infrastructure.Access.Passwords;

/// <summary>
/// Which passwords were checked against which hashes a short while ago, so that a client which sends its password with
/// each of a thousand requests costs one check. Holds no password: only a MAC under a key that this process alone has.
/// </summary>
internal sealed class VerifiedPasswords(TimeProvider time)
{
    private const int MaxEntries = 10_000;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, long> _verified = new(StringComparer.Ordinal);

    /// <param name="hash">Another one, after a change of password, is another entry.</param>
    public bool Contains(string user, string password, string hash)
        => _verified.TryGetValue(Mark(user, password, hash), out var since) && time.GetElapsedTime(since) < Lifetime;

    public void Add(string user, string password, string hash)
    {
        if (_verified.Count >= MaxEntries)
            Forget();
        _verified[Mark(user, password, hash)] = time.GetTimestamp();
    }

    private void Forget()
    {
        foreach (var (mark, since) in _verified)
        {
            if (time.GetElapsedTime(since) >= Lifetime)
                _verified.TryRemove(mark, out _);
        }

        if (_verified.Count >= MaxEntries)
            _verified.Clear(); // they are checked again, once each
    }

    // Neither user nor hash can hold a line feed.
    private string Mark(string user, string password, string hash)
        => Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{user}\n{hash}\n{password}")));
}
