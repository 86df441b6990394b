namespace Registry.Crash.Tests.Nodes;

/// <summary>The check finds what it is there to find, and nothing in what is right.</summary>
public sealed class TagHistoryTests
{
    [Fact]
    public async Task One_after_the_other_and_side_by_side_is_right()
    {
        var history = new TagHistory();
        await WriteAsync(history, "a");
        await ReadAsync(history, "a");
        var both = new TaskCompletionSource<bool>();
        var (b, c) = (history.WriteAsync("b", () => both.Task), history.WriteAsync("c", () => both.Task));
        await ReadAsync(history, "c");
        await ReadAsync(history, "b");
        both.SetResult(true);
        await Task.WhenAll(b, c);
        await ReadAsync(history, "b");
        Assert.Null(history.FindViolation());
    }

    [Fact]
    public async Task A_write_that_was_confirmed_and_is_not_seen_is_found()
    {
        var history = new TagHistory();
        await WriteAsync(history, "a");
        await WriteAsync(history, "b");
        await ReadAsync(history, "a");
        Assert.NotNull(history.FindViolation());
    }

    [Fact]
    public async Task A_tag_that_goes_back_is_found()
    {
        var history = new TagHistory();
        await WriteAsync(history, "a");
        var unknown = history.WriteAsync("b", () => Task.FromResult(false));
        await ReadAsync(history, "b");
        await ReadAsync(history, "a");
        await unknown;
        Assert.NotNull(history.FindViolation());
    }

    [Fact]
    public async Task A_write_of_unknown_outcome_may_come_late_or_never()
    {
        var history = new TagHistory();
        await WriteAsync(history, "a");
        await history.WriteAsync("late", () => Task.FromResult(false));
        await history.WriteAsync("never", () => Task.FromResult(false));
        await ReadAsync(history, "a");
        await ReadAsync(history, "late");
        await ReadAsync(history, "late");
        Assert.Null(history.FindViolation());
    }

    [Fact]
    public async Task A_value_from_nowhere_is_found()
    {
        var history = new TagHistory();
        await ReadAsync(history, "ghost");
        Assert.NotNull(history.FindViolation());
    }

    private static Task WriteAsync(TagHistory history, string value) => history.WriteAsync(value, async () => { await Task.Delay(1); return true; });

    private static Task ReadAsync(TagHistory history, string value) => history.ReadAsync(async () => { await Task.Delay(1); return value; });
}
