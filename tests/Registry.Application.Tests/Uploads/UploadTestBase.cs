using System.Text;
using NSubstitute;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Tests.Uploads;

/// <summary>A session of Alice's at byte 10, which can be claimed and whose bytes can be opened.</summary>
public abstract class UploadTestBase : IAsyncLifetime
{
    private protected static readonly Digest Digest = Digest.Of(Encoding.ASCII.GetBytes("abc"), DigestAlgorithm.Sha256);

    private protected static readonly UploadId Id = UploadId.Create();

    private protected static readonly UploadSession Session = new(
        Id, UseCases.Repository, "default", UseCases.Alice.Name, DigestAlgorithm.Sha256, Offset: 10, Version: 3, DateTimeOffset.MaxValue);

    private protected UseCases Registry { get; } = new();

    private protected IStagedUpload Staged { get; } = Substitute.For<IStagedUpload>();

    private protected IUploadClaim Claim { get; } = Substitute.For<IUploadClaim>();

    private protected CancellationTokenSource Lost { get; } = new();

    public Task InitializeAsync()
    {
        Registry.Sessions.FindAsync(UseCases.Repository, Id, Arg.Any<CancellationToken>()).Returns(Session);
        Registry.Sessions.ClaimAsync(default!, default!, default!, default).ReturnsForAnyArgs((IUploadClaim?)null);
        Registry.Sessions.ClaimAsync(UseCases.Repository, UseCases.Alice.Name, Id, Arg.Any<CancellationToken>()).Returns(Claim);
        Claim.Session.Returns(Session);
        Claim.Lost.Returns(Lost.Token);
        Registry.Sessions.AdvanceAsync(default!, default!, default, default).ReturnsForAnyArgs(true);
        Registry.Links.AddAsync(default!, default!, default, default).ReturnsForAnyArgs(true);
        Registry.Staging.OpenAsync(default!, default).ReturnsForAnyArgs(Staged);
        Staged.PublishAsync(Digest, Arg.Any<long>(), Arg.Any<CancellationToken>()).Returns("aa/bb");
        Arrives(5);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Registry.DisposeAsync();
        Lost.Dispose();
    }

    /// <summary>So many bytes come out of the body.</summary>
    private protected void Arrives(long bytes, bool complete = true)
        => Staged.AppendAsync(default!, default!, default, default)
            .ReturnsForAnyArgs(new AppendedBytes(Session.Offset + bytes, complete, "where they are"));

    /// <summary>The staged bytes end before the session's offset.</summary>
    private protected void StagedBytesAreShort()
        => Staged.AppendAsync(default!, default!, default, default).ReturnsForAnyArgs((AppendedBytes?)null);

    private protected Task NothingWasAppendedAsync() => Staged.DidNotReceiveWithAnyArgs().AppendAsync(default!, default!, default, default);

    private protected Task SessionStaysAsync() => Task.WhenAll(
        Registry.Sessions.DidNotReceiveWithAnyArgs().AdvanceAsync(default!, default!, default, default),
        Registry.Sessions.DidNotReceiveWithAnyArgs().RemoveAsync(default!, default!, default!, default),
        Registry.Links.DidNotReceiveWithAnyArgs().AddAsync(default!, default!, default, default),
        Staged.DidNotReceive().DiscardAsync());

    private protected async Task BytesAreGivenBackAsync()
    {
        await Staged.Received(1).DisposeAsync();
        await Claim.Received(1).DisposeAsync();
    }

    private protected static RepositoryIdentity OtherRepository { get; }
        = new(RegistryName.Default, RepositoryName.Parse("team/other"));
}
