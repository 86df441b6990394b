namespace Registry.Infrastructure.Tests.Database;

/// <summary>A clock that goes on when it is told.</summary>
internal sealed class ManualTime : TimeProvider
{
    public DateTimeOffset Now { get; private set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public long Milliseconds => Now.ToUnixTimeMilliseconds();

    public override DateTimeOffset GetUtcNow() => Now;

    public void Advance(TimeSpan time) => Now += time;
}
