namespace Registry.Crash.Tests;

/// <summary>The proof of durability is worth what its reader of traces is worth.</summary>
public sealed class SystemCallTraceTests
{
    private static readonly SystemCallTrace Trace = SystemCallTrace.Parse(
    [
        """7 10:00:00.000001 pwrite64(9</d/registry.db-wal>, "7\177\6\202"..., 32, 0) = 32""",
        """7 10:00:00.000002 fsync(8</d/up/1> <unfinished ...>""",
        """8 10:00:00.000003 sendmsg(5<socket:[1]>, {msg_iov=[{iov_base="HTTP/1.1 201 Created\r\n"..., iov_len=99}]}, 0) = 99""",
        """7 10:00:00.000004 <... fsync resumed>)   = 0""",
        """7 10:00:00.000005 rename("/d/up/1", "/d/blobs/data") = 0""",
        """7 10:00:00.000006 fdatasync(9</d/registry.db-wal>) = -1 EIO (Input/output error)""",
    ]);

    [Fact]
    public void A_call_that_was_interrupted_ends_where_it_is_resumed()
    {
        var sync = Assert.Single(Trace.Syncs("/d/up/1"));
        Assert.Equal((2, 4), (sync.Began, sync.Ended));
    }

    [Fact]
    public void A_response_is_found_by_its_status_where_it_begins_to_leave()
        => Assert.Equal([3], Trace.Responses(201));

    [Fact]
    public void A_rename_shows_both_paths()
        => Assert.Equal(["/d/up/1", "/d/blobs/data"], Trace.Calls.Single(c => c.Name == "rename").Paths);

    [Fact]
    public void A_sync_that_failed_is_no_sync()
        => Assert.Empty(Trace.Syncs("/d/registry.db-wal"));

    [Fact]
    public void A_write_is_found_by_its_file()
        => Assert.Single(Trace.Writes("/d/registry.db-wal"));
}
