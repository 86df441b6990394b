namespace Registry.Infrastructure.S3;

/// <summary>
/// How often calls to a store may be repeated, all together: what succeeds earns retries, and during an outage they are
/// soon used up, so that nobody waits in vain and a store in trouble is not hit harder.
/// </summary>
internal sealed class RetryBudget
{
    private const int Capacity = 500;
    private const int Price = 5;

    private int _left = Capacity;

    public bool TryTake()
    {
        if (Interlocked.Add(ref _left, -Price) >= 0)
            return true;
        Interlocked.Add(ref _left, Price);
        return false;
    }

    public void Earn()
    {
        if (Volatile.Read(ref _left) < Capacity)
            Interlocked.Increment(ref _left);
    }

    /// <summary>Longer from try to try, and by chance: who failed together does not come back together.</summary>
    public static TimeSpan PauseBefore(int retry)
        => TimeSpan.FromMilliseconds(50 + Random.Shared.Next(100 << Math.Min(retry, 4)));
}
