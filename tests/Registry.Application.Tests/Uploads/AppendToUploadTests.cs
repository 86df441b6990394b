using NSubstitute;
using Registry.Application.Uploads;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Uploads;

public sealed class AppendToUploadTests : UploadTestBase
{
    [Theory]
    [InlineData(null, null, null)]
    [InlineData(null, null, 5L)]
    [InlineData(10L, 14L, null)]
    [InlineData(10L, 14L, 5L)]
    public async Task A_chunk_that_goes_on_where_the_session_stands_moves_it(long? first, long? last, long? length)
    {
        var progress = await Registry.GetAsync(Chunk(first, last, length));
        Assert.Equal(15, progress.Offset);
        await Registry.Sessions.Received(1).AdvanceAsync(
            Session, new AppendedBytes(15, Complete: true, "where they are"), Arg.Any<DateTimeOffset>(), Arg.Any<CancellationToken>());
        Claim.Received(1).Settle();
        await BytesAreGivenBackAsync();
    }

    [Theory]
    [InlineData(11, 15)] // a gap
    [InlineData(9, 13)] // an overlap
    [InlineData(0, 9)] // the last chunk again
    [InlineData(0, 4)]
    public async Task A_chunk_out_of_order_is_refused_before_a_byte_is_read_and_told_where_to_go_on(long first, long last)
    {
        var error = await Registry.RefusalAsync(Chunk(first, last, last - first + 1));
        Assert.Equal((OciErrorCode.BlobUploadInvalid, ErrorReason.OutOfOrder, 10L), (error.Code, error.Reason, error.Offset));
        await NothingWasAppendedAsync();
        await SessionStaysAsync();
        await BytesAreGivenBackAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(0)]
    public async Task A_range_of_another_length_than_announced_is_refused_before_a_byte_is_read(long length)
    {
        Assert.Equal(OciErrorCode.SizeInvalid, (await Registry.RefusalAsync(Chunk(10, 14, length))).Code);
        await NothingWasAppendedAsync();
        await SessionStaysAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(0)]
    public async Task A_range_of_another_length_than_arrived_counts_for_nothing(long arrived)
    {
        Arrives(arrived);
        Assert.Equal(OciErrorCode.SizeInvalid, (await Registry.RefusalAsync(Chunk(10, 14, null))).Code);
        await SessionStaysAsync();
    }

    [Fact]
    public async Task A_declared_range_that_breaks_off_counts_for_nothing()
    {
        Arrives(3, complete: false);
        Assert.Equal(OciErrorCode.SizeInvalid, (await Registry.RefusalAsync(Chunk(10, 14, 5))).Code);
        await SessionStaysAsync();
    }

    [Fact]
    public async Task A_stream_that_breaks_off_keeps_what_arrived()
    {
        Arrives(3, complete: false);
        Assert.Equal(OciErrorCode.SizeInvalid, (await Registry.RefusalAsync(Chunk(null, null, 5))).Code);
        await Registry.Sessions.Received(1).AdvanceAsync(
            Session, new AppendedBytes(13, Complete: false, "where they are"), Arg.Any<DateTimeOffset>(), CancellationToken.None);
    }

    [Fact]
    public async Task A_session_that_ended_meanwhile_is_unknown_and_its_bytes_go()
    {
        Registry.Sessions.AdvanceAsync(default!, default!, default, default).ReturnsForAnyArgs(false);
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(Chunk(10, 14, 5))).Code);
        await Staged.Received(1).DiscardAsync();
    }

    [Fact]
    public async Task A_session_that_another_request_has_taken_over_is_busy_and_keeps_its_bytes()
    {
        Registry.Sessions.AdvanceAsync(default!, default!, default, default).ReturnsForAnyArgs(false);
        Registry.Sessions.ExistsAsync(Id, Arg.Any<CancellationToken>()).Returns(true);
        var error = await Registry.RefusalAsync(Chunk(10, 14, 5));
        Assert.Equal((ErrorReason.OutOfOrder, 10L), (error.Reason, error.Offset));
        await Staged.DidNotReceive().DiscardAsync();
        Claim.DidNotReceive().Settle();
    }

    [Fact]
    public async Task A_claim_that_is_lost_stops_the_chunk_and_its_bytes_do_not_count()
    {
        Staged.AppendAsync(default!, default!, default, default).ReturnsForAnyArgs(call =>
        {
            var stop = call.ArgAt<CancellationToken>(3);
            Assert.False(stop.IsCancellationRequested);
            Lost.Cancel();
            Assert.True(stop.IsCancellationRequested);
            return new AppendedBytes(12, Complete: false);
        });
        Assert.Equal(ErrorReason.OutOfOrder, (await Registry.RefusalAsync(Chunk(10, 14, 5))).Reason);
        await SessionStaysAsync();
    }

    [Fact]
    public async Task A_session_whose_bytes_were_lost_ends()
    {
        StagedBytesAreShort();
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(Chunk(10, 14, 5))).Code);
        await Registry.Sessions.Received(1).RemoveAsync(UseCases.Repository, UseCases.Alice.Name, Id, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task The_session_of_somebody_else_is_unknown() // S-8
    {
        var error = await Registry.RefusalAsync(Chunk(10, 14, 5) with { Owner = new Principal("mallory") });
        Assert.Equal((OciErrorCode.BlobUploadUnknown, (long?)null), (error.Code, error.Offset));
        await Registry.Staging.DidNotReceiveWithAnyArgs().OpenAsync(default!, default);
    }

    [Fact]
    public async Task The_session_of_another_repository_is_unknown()
    {
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(Chunk(10, 14, 5) with { Repository = OtherRepository })).Code);
        await NothingWasAppendedAsync();
    }

    [Fact]
    public async Task A_session_in_a_store_that_the_registry_has_left_is_unknown()
    {
        Claim.Session.Returns(Session with { Store = "old" });
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(Chunk(10, 14, 5))).Code);
        await Claim.Received(1).DisposeAsync();
    }

    [Fact]
    public async Task While_another_request_writes_the_session_is_busy_and_says_where_it_stands()
    {
        Registry.Sessions.ClaimAsync(default!, default!, default!, default).ReturnsForAnyArgs((IUploadClaim?)null);
        var error = await Registry.RefusalAsync(Chunk(10, 14, 5));
        Assert.Equal((ErrorReason.OutOfOrder, 10L), (error.Reason, error.Offset));
    }

    [Fact]
    public async Task A_request_that_ends_a_moment_later_is_waited_for()
    {
        Registry.Sessions.ClaimAsync(default!, default!, default!, default).ReturnsForAnyArgs(null, null, Claim);
        Assert.Equal(15, (await Registry.GetAsync(Chunk(10, 14, 5))).Offset);
    }

    [Fact]
    public async Task The_bytes_are_opened_as_the_claimed_session_says_and_given_back_before_the_claim()
    {
        var claimed = Session with { Version = 4, State = "here" };
        Claim.Session.Returns(claimed);
        await Registry.GetAsync(Chunk(10, 14, 5));
        Received.InOrder(() =>
        {
            _ = Registry.Sessions.ClaimAsync(UseCases.Repository, UseCases.Alice.Name, Id, Arg.Any<CancellationToken>());
            _ = Registry.Staging.OpenAsync(claimed, Arg.Any<CancellationToken>());
            _ = Staged.DisposeAsync().AsTask();
            _ = Claim.DisposeAsync().AsTask();
        });
    }

    [Fact]
    public async Task Bytes_that_cannot_be_opened_give_the_claim_back()
    {
        Registry.Staging.OpenAsync(default!, default).ReturnsForAnyArgs<IStagedUpload>(
            _ => throw new StorageException(OciError.Unavailable("store"), new IOException()));
        await Assert.ThrowsAsync<StorageException>(() => Registry.SendAsync(Chunk(10, 14, 5)));
        await Claim.Received(1).DisposeAsync();
    }

    [Fact]
    public async Task Storage_that_fails_leaves_the_session_where_it_stood()
    {
        var full = new StorageException(OciError.StoreFull(), new IOException("No space left on device"));
        Staged.AppendAsync(default!, default!, default, default).ReturnsForAnyArgs<AppendedBytes?>(_ => throw full);

        await Assert.ThrowsAsync<StorageException>(() => Registry.SendAsync(Chunk(10, 14, 5)));

        await SessionStaysAsync();
        await BytesAreGivenBackAsync();
    }

    private static AppendToUploadCommand Chunk(long? first, long? last, long? length) => new(
        UseCases.Repository, UseCases.Alice, Id, first is null ? null : new ByteRange(first.Value, last!.Value), Stream.Null, length);
}
