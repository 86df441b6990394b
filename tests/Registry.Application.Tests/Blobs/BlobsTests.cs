using System.Text;
using NSubstitute;
using Registry.Application.Blobs;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Blobs;

public sealed class BlobsTests : IAsyncLifetime
{
    private static readonly Digest Digest = Digest.Of(Encoding.ASCII.GetBytes("abc"), DigestAlgorithm.Sha256);
    private static readonly StoredBlob Blob = new("default", Digest, "aa/bb", 3);
    private static readonly RepositoryIdentity Secret = new(RegistryName.Default, RepositoryName.Parse("secret/app"));
    private static readonly RepositoryIdentity Public = new(RegistryName.Default, RepositoryName.Parse("public/app"));

    private readonly UseCases _registry = new();

    public Task InitializeAsync()
    {
        _registry.Access.Allows(UseCases.Alice, Secret, RegistryAction.Pull).Returns(false);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    [Fact]
    public async Task A_mount_from_a_repository_that_may_not_be_read_looks_as_if_the_blob_were_not_there() // S-2
    {
        MountsFrom(Secret);
        var denied = await _registry.RefusalAsync(Mount(Secret));
        var absent = await _registry.RefusalAsync(Mount(Public));

        Assert.Equal(OciErrorCode.BlobUnknown, denied.Code);
        Assert.Equal(absent.Message, denied.Message);
        await _registry.Links.DidNotReceive().MountAsync(
            Secret, Arg.Any<RepositoryIdentity>(), Arg.Any<Digest>(), Arg.Any<string>(), Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_mount_from_a_readable_repository_links_the_blob_of_the_same_store()
    {
        MountsFrom(Public);
        Assert.Equal(Digest, await _registry.GetAsync(Mount(Public)));
    }

    [Fact]
    public async Task A_mount_without_from_takes_the_first_repository_that_may_be_read() // S-2
    {
        MountsFrom(Secret);
        _registry.Links.ListRepositoriesAsync(Digest, Arg.Any<int>(), Arg.Any<CancellationToken>()).Returns([Secret, Public]);
        await _registry.RefusalAsync(Mount(null));

        MountsFrom(Public);
        Assert.Equal(Digest, await _registry.GetAsync(Mount(null)));
    }

    [Fact]
    public async Task A_mount_without_from_of_an_unknown_blob_is_unknown()
    {
        _registry.Links.ListRepositoriesAsync(Digest, Arg.Any<int>(), Arg.Any<CancellationToken>()).Returns([]);
        Assert.Equal(OciErrorCode.BlobUnknown, (await _registry.RefusalAsync(Mount(null))).Code);
    }

    [Fact]
    public async Task A_blob_whose_bytes_are_gone_is_unknown_from_then_on()
    {
        _registry.Links.FindAsync(UseCases.Repository, Digest, Arg.Any<CancellationToken>()).Returns(Blob);
        _registry.Store.OpenAsync(Blob, null, Arg.Any<CancellationToken>()).Returns((IBlobContent?)null);

        var error = await _registry.RefusalAsync(new OpenBlobQuery(UseCases.Repository, Digest, Range: null, UseCases.Alice));

        Assert.Equal(OciErrorCode.BlobUnknown, error.Code);
        await _registry.Links.Received(1).MarkMissingAsync(Blob, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_blob_in_a_store_that_the_configuration_lost_is_unavailable_and_not_gone()
    {
        _registry.Links.FindAsync(UseCases.Repository, Digest, Arg.Any<CancellationToken>()).Returns(Blob with { Store = "old" });
        _registry.Stores.Find("old").Returns((IBlobStore?)null);

        var error = await _registry.RefusalAsync(new OpenBlobQuery(UseCases.Repository, Digest, Range: null, UseCases.Alice));

        Assert.Equal(ErrorReason.Unavailable, error.Reason);
        await _registry.Links.DidNotReceiveWithAnyArgs().MarkMissingAsync(default!, default);
    }

    [Fact]
    public async Task A_store_that_fails_leaves_the_blob_as_it_is()
    {
        var broken = new StorageException(OciError.Unavailable("store"), new IOException("Input/output error"));
        _registry.Links.FindAsync(UseCases.Repository, Digest, Arg.Any<CancellationToken>()).Returns(Blob);
        _registry.Store.OpenAsync(Blob, null, Arg.Any<CancellationToken>()).Returns<IBlobContent?>(_ => throw broken);

        await Assert.ThrowsAsync<StorageException>(() => _registry.SendAsync(new OpenBlobQuery(UseCases.Repository, Digest, Range: null, UseCases.Alice)));

        await _registry.Links.DidNotReceiveWithAnyArgs().MarkMissingAsync(default!, default);
    }

    [Fact]
    public async Task Deleting_asks_the_switch_first()
    {
        _registry.Links.RemoveAsync(UseCases.Repository, Digest, Arg.Any<CancellationToken>()).Returns(true, false);
        var delete = new DeleteBlobCommand(new(UseCases.Repository, UseCases.Repository.Name), Digest);

        _registry.Delete.Enabled = false;
        Assert.Equal(OciErrorCode.Unsupported, (await _registry.RefusalAsync(delete)).Code);

        _registry.Delete.Enabled = true;
        await _registry.GetAsync(delete); // still there after the refusal
        Assert.Equal(OciErrorCode.BlobUnknown, (await _registry.RefusalAsync(delete)).Code);
    }

    private void MountsFrom(RepositoryIdentity source)
        => _registry.Links.MountAsync(source, UseCases.Repository, Digest, "default", Arg.Any<CancellationToken>()).Returns(true);

    private static MountBlobCommand Mount(RepositoryIdentity? from) => new(UseCases.Repository, Digest, from, UseCases.Alice);
}
