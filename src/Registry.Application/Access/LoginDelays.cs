using System.Net;
using System.Net.Sockets;

namespace Registry.Application.Access;

/// <summary>
/// How long to wait after failed logins before the next try is looked at: nothing for the first few, then a second,
/// doubled with each failure up to a minute. Counted by account and address together, so that nobody is kept out of an
/// account by strangers who guess at it; and, with more patience, by account and by address alone, against guesses from
/// many addresses and at many accounts. There one failure is forgiven every ten seconds, so that a client with an old
/// password does not keep out everybody behind its address. All is forgotten after a quarter of an hour without
/// failures, and when the process ends.
/// </summary>
public sealed class LoginDelays(TimeProvider time)
{
    private const int MaxEntries = 100_000;

    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Forgiving = TimeSpan.FromSeconds(10);

    private readonly Turns _turns = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Failures> _failures = new(StringComparer.Ordinal);

    /// <summary>
    /// Waits until no other try of that user from that address is under way. It ends with the disposal of what is
    /// returned; null when that would take too long.
    /// </summary>
    public Task<IDisposable?> TakeTurnAsync(string user, IPAddress? address, CancellationToken cancellationToken)
        => _turns.TakeAsync(Pair(user, address), cancellationToken);

    /// <summary>Null when nothing is to be waited for.</summary>
    public TimeSpan? WaitFor(string user, IPAddress? address)
    {
        lock (_lock)
        {
            var longest = TimeSpan.Zero;
            foreach (var count in Counts(user, address))
            {
                if (_failures.TryGetValue(count.Key, out var failures) && !IsForgotten(failures))
                {
                    var wait = Wait(failures.Count, count) - time.GetElapsedTime(failures.Last);
                    longest = wait > longest ? wait : longest;
                }
            }

            return longest > TimeSpan.Zero ? longest : null;
        }
    }

    public void Failed(string user, IPAddress? address)
    {
        lock (_lock)
        {
            if (_failures.Count >= MaxEntries)
                Forget();
            foreach (var count in Counts(user, address))
            {
                var left = _failures.TryGetValue(count.Key, out var failures) && !IsForgotten(failures)
                    ? Left(failures, count)
                    : 0;
                _failures[count.Key] = new(left + 1, time.GetTimestamp());
            }
        }
    }

    /// <summary>The one who knows the password has come from there.</summary>
    public void Succeeded(string user, IPAddress? address)
    {
        lock (_lock)
            _failures.Remove(Pair(user, address));
    }

    private static TimeSpan Wait(double failures, Count count)
        => failures < count.Patience ? TimeSpan.Zero
            : TimeSpan.FromSeconds(
                Math.Min(count.Longest.TotalSeconds, Math.Pow(2, Math.Min(failures - count.Patience, 30))));

    // Of the failures until the last one, those that are not forgiven.
    private double Left(Failures failures, Count count)
        => count.Forgives
            ? Math.Max(0, failures.Count - (time.GetElapsedTime(failures.Last) / Forgiving))
            : failures.Count;

    private static Count[] Counts(string user, IPAddress? address)
        =>
        [
            new(Pair(user, address), Patience: 5, TimeSpan.FromMinutes(1), Forgives: false),
            new($"account {Folded(user)}", Patience: 50, TimeSpan.FromSeconds(5), Forgives: true),
            new($"address {NetworkOf(address)}", Patience: 50, TimeSpan.FromMinutes(1), Forgives: true),
        ];

    private static string Pair(string user, IPAddress? address) => $"both {NetworkOf(address)} {Folded(user)}";

    // A directory takes every spelling for the same name.
    private static string Folded(string user) => user.Trim().ToUpperInvariant();

    // One client gets an IPv6 network of 64 bits.
    private static string NetworkOf(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4().ToString();
        return address.AddressFamily is AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    private bool IsForgotten(Failures failures) => time.GetElapsedTime(failures.Last) > Memory;

    private void Forget()
    {
        foreach (var (key, failures) in _failures)
        {
            if (IsForgotten(failures))
                _failures.Remove(key);
        }

        if (_failures.Count >= MaxEntries)
            _failures.Clear();
    }

    private readonly record struct Failures(double Count, long Last);

    private readonly record struct Count(string Key, int Patience, TimeSpan Longest, bool Forgives);
}
