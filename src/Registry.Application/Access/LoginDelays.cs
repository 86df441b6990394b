using System.Net;
using System.Net.Sockets;

namespace Registry.Application.Access;

/// <summary>
/// How long to wait after failed logins before the next try is looked at: nothing for the first few, then a second,
/// doubled with each failure up to a minute. Counted by account and address together, so that nobody is kept out of an
/// account by strangers who guess at it; and, with more patience, by account and by address alone, against guesses from
/// many addresses and at many accounts. Forgotten after a quarter of an hour, and when the process ends.
/// </summary>
public sealed class LoginDelays(TimeProvider time)
{
    private const int MaxEntries = 100_000;

    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Failures> _failures = new(StringComparer.Ordinal);

    /// <summary>Null when nothing is to be waited for.</summary>
    public TimeSpan? WaitFor(string user, IPAddress? address)
    {
        lock (_lock)
        {
            var longest = TimeSpan.Zero;
            foreach (var (key, patience, longestWait) in Keys(user, address))
            {
                if (_failures.TryGetValue(key, out var failures) && !IsForgotten(failures))
                {
                    var wait = Wait(failures.Count, patience, longestWait) - time.GetElapsedTime(failures.Last);
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
            foreach (var (key, _, _) in Keys(user, address))
            {
                var count = _failures.TryGetValue(key, out var failures) && !IsForgotten(failures) ? failures.Count : 0;
                _failures[key] = new(count + 1, time.GetTimestamp());
            }
        }
    }

    /// <summary>The one who knows the password has come from there.</summary>
    public void Succeeded(string user, IPAddress? address)
    {
        lock (_lock)
            _failures.Remove(Pair(user, address));
    }

    private static TimeSpan Wait(int failures, int patience, TimeSpan longest)
        => failures < patience ? TimeSpan.Zero
            : TimeSpan.FromSeconds(Math.Min(longest.TotalSeconds, Math.Pow(2, Math.Min(failures - patience, 30))));

    private static (string Key, int Patience, TimeSpan Longest)[] Keys(string user, IPAddress? address)
        =>
        [
            (Pair(user, address), 5, TimeSpan.FromMinutes(1)),
            ($"account {user}", 50, TimeSpan.FromSeconds(5)),
            ($"address {NetworkOf(address)}", 50, TimeSpan.FromMinutes(1)),
        ];

    private static string Pair(string user, IPAddress? address) => $"both {NetworkOf(address)} {user}";

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

    private readonly record struct Failures(int Count, long Last);
}
