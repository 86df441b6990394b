using NSubstitute;
using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Uploads;

namespace Registry.Application.Tests.Uploads;

public sealed class CompleteUploadTests : UploadTestBase
{
    [Fact]
    public async Task The_whole_becomes_a_blob_and_the_session_closes_in_the_same_change()
    {
        Assert.Equal(Digest, await Registry.GetAsync(Close()));
        await Registry.Links.Received(1).AddAsync(
            UseCases.Repository, new StoredBlob("default", Digest, "aa/bb", 15), Session, Arg.Any<CancellationToken>());
        Claim.Received(1).Settle();
        await BytesAreGivenBackAsync();
    }

    [Fact]
    public async Task A_close_without_a_body_takes_what_is_there()
    {
        Arrives(0);
        await Registry.GetAsync(Close() with { Content = null });
        await Staged.Received(1).PublishAsync(Digest, 10, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_digest_that_does_not_fit_leaves_the_session_where_it_stood()
    {
        Staged.PublishAsync(default!, default, default).ReturnsForAnyArgs((string?)null);
        var error = await Registry.RefusalAsync(Close());
        Assert.Equal((OciErrorCode.DigestInvalid, ErrorReason.Invalid, 10L), (error.Code, error.Reason, error.Offset));
        await SessionStaysAsync();
    }

    [Theory]
    [InlineData(11, 15)]
    [InlineData(9, 13)]
    [InlineData(0, 4)]
    public async Task A_last_chunk_out_of_order_leaves_the_session_where_it_stood(long first, long last)
    {
        var error = await Registry.RefusalAsync(Close() with { Range = new(first, last) });
        Assert.Equal((ErrorReason.OutOfOrder, 10L), (error.Reason, error.Offset));
        await NothingWasAppendedAsync();
        await SessionStaysAsync();
    }

    [Fact]
    public async Task A_last_chunk_of_another_length_than_its_range_leaves_the_session_where_it_stood()
    {
        var announced = await Registry.RefusalAsync(Close() with { Range = new(10, 14), Length = 4 });
        await NothingWasAppendedAsync();
        Arrives(4);
        var received = await Registry.RefusalAsync(Close() with { Range = new(10, 14) });

        Assert.Equal((OciErrorCode.SizeInvalid, OciErrorCode.SizeInvalid), (announced.Code, received.Code));
        await Staged.DidNotReceiveWithAnyArgs().PublishAsync(default!, default, default);
        await SessionStaysAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_breaks_off_leaves_the_session_where_it_stood(bool ranged)
    {
        Arrives(3, complete: false);
        var close = Close() with { Range = ranged ? new ByteRange(10, 14) : null };
        Assert.Equal(OciErrorCode.SizeInvalid, (await Registry.RefusalAsync(close)).Code);
        await Staged.DidNotReceiveWithAnyArgs().PublishAsync(default!, default, default);
        await SessionStaysAsync();
    }

    [Fact]
    public async Task The_session_of_another_owner_or_repository_is_unknown() // S-8
    {
        var stranger = await Registry.RefusalAsync(Close() with { Owner = new Principal("mallory") });
        var elsewhere = await Registry.RefusalAsync(Close() with { Repository = OtherRepository });
        Assert.Equal((OciErrorCode.BlobUploadUnknown, OciErrorCode.BlobUploadUnknown), (stranger.Code, elsewhere.Code));
        await NothingWasAppendedAsync();
        await SessionStaysAsync();
    }

    [Fact]
    public async Task While_another_request_writes_the_session_is_busy()
    {
        Registry.Sessions.ClaimAsync(default!, default!, default!, default).ReturnsForAnyArgs((IUploadClaim?)null);
        Assert.Equal(ErrorReason.OutOfOrder, (await Registry.RefusalAsync(Close())).Reason);
        await SessionStaysAsync();
    }

    [Fact]
    public async Task A_session_whose_bytes_were_lost_ends()
    {
        StagedBytesAreShort();
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(Close())).Code);
        await Registry.Sessions.Received(1).RemoveAsync(UseCases.Repository, UseCases.Alice.Name, Id, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_session_that_was_cancelled_meanwhile_makes_no_blob()
    {
        Registry.Links.AddAsync(default!, default!, default, default).ReturnsForAnyArgs(false);
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(Close())).Code);
        Claim.DidNotReceive().Settle();
    }

    [Fact]
    public async Task A_claim_that_is_lost_makes_no_blob()
    {
        await Lost.CancelAsync();
        Assert.Equal(ErrorReason.OutOfOrder, (await Registry.RefusalAsync(Close())).Reason);
        await Staged.DidNotReceiveWithAnyArgs().PublishAsync(default!, default, default);
        await SessionStaysAsync();
    }

    [Fact]
    public async Task A_blob_sent_at_once_is_stored_only_when_it_is_whole_and_fits_its_digest()
    {
        var upload = new UploadBlobCommand(UseCases.Repository, UseCases.Alice, Digest, Stream.Null);

        Arrives(3, complete: false);
        Assert.Equal(OciErrorCode.SizeInvalid, (await Registry.RefusalAsync(upload)).Code);
        Arrives(3);
        Staged.PublishAsync(default!, default, default).ReturnsForAnyArgs((string?)null);
        Assert.Equal(OciErrorCode.DigestInvalid, (await Registry.RefusalAsync(upload)).Code);
        await Staged.Received(2).DiscardAsync();
        await Registry.Links.DidNotReceiveWithAnyArgs().AddAsync(default!, default!, default, default);

        Staged.PublishAsync(default!, default, default).ReturnsForAnyArgs("aa/bb");
        Assert.Equal(Digest, await Registry.GetAsync(upload));
        await Staged.Received(2).DiscardAsync(); // no more
    }

    [Fact]
    public async Task Only_its_owner_can_cancel_a_session_and_only_once()
    {
        Registry.Sessions.RemoveAsync(default!, default!, default!, default).ReturnsForAnyArgs((UploadSession?)null);
        Registry.Sessions.RemoveAsync(UseCases.Repository, UseCases.Alice.Name, Id, Arg.Any<CancellationToken>())
            .Returns(Session with { State = "here" }, (UploadSession?)null);
        var cancel = new CancelUploadCommand(UseCases.Repository, UseCases.Alice, Id);

        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(cancel with { Owner = Principal.Anonymous })).Code);
        await Registry.Staging.DidNotReceiveWithAnyArgs().DropAsync(default!, default, default);
        await Registry.GetAsync(cancel);
        await Registry.Staging.Received(1).DropAsync(Id, "here", Arg.Any<CancellationToken>());
        Assert.Equal(OciErrorCode.BlobUploadUnknown, (await Registry.RefusalAsync(cancel)).Code);
    }

    [Fact]
    public async Task Purging_drops_leftovers_but_nothing_that_is_open_or_being_written()
    {
        var (open, written, leftover, claimed) = (UploadId.Create(), UploadId.Create(), UploadId.Create(), UploadId.Create());
        Registry.Sessions.ListExpiredAsync(default, default).ReturnsForAnyArgs(_ => [Session, Session with { Id = claimed }], _ => []);
        Registry.Sessions.RemoveExpiredAsync(Id, Arg.Any<CancellationToken>()).Returns(Session with { State = "here" });
        Registry.Sessions.RemoveExpiredAsync(claimed, Arg.Any<CancellationToken>()).Returns((UploadSession?)null);
        Registry.Sessions.ExistsAsync(open, Arg.Any<CancellationToken>()).Returns(true);
        Registry.Staging.ListUntouchedSinceAsync(default, default)
            .ReturnsForAnyArgs(new[] { open, written, leftover }.ToAsyncEnumerable());
        Registry.Staging.DropAsync(leftover, null, Arg.Any<CancellationToken>()).Returns(true);

        Assert.Equal(new PurgedUploads(Sessions: 1, Leftovers: 1), await Registry.GetAsync(new PurgeUploadsCommand()));

        await Registry.Staging.Received(1).DropAsync(Id, "here", Arg.Any<CancellationToken>());
        await Registry.Staging.DidNotReceive().DropAsync(open, Arg.Any<string?>(), Arg.Any<CancellationToken>());
        await Registry.Staging.DidNotReceive().DropAsync(claimed, Arg.Any<string?>(), Arg.Any<CancellationToken>());
    }

    private static CompleteUploadCommand Close()
        => new(UseCases.Repository, UseCases.Alice, Id, Digest, Range: null, Stream.Null, Length: null);
}
