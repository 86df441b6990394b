using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Stores;
using Registry.Infrastructure.Tests.Stores;

namespace Registry.Infrastructure.Tests.FileSystem;

public sealed class FileSystemManifestArchiveTests : IDisposable
{
    private const string Top = "docker/registry/v2";
    private static readonly byte[] Content = "{}"u8.ToArray();
    private static readonly Digest Digest = StoreUsage.DigestOf(Content);
    private static readonly Digest Newer = StoreUsage.DigestOf([1], DigestAlgorithm.Sha512);
    private static readonly Tag Tag = Tag.Parse("1.0");
    private static readonly RepositoryIdentity Repository = new(RegistryName.Default, RepositoryName.Parse("team/app"));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_manifest_lies_where_other_registries_look_for_it()
    {
        var archive = await StartAsync();
        var (data, link) = (
            $"{Top}/blobs/sha256/{Digest.Hex[..2]}/{Digest.Hex}/data",
            $"{Top}/repositories/team/app/_manifests/revisions/sha256/{Digest.Hex}/link");

        for (var time = 0; time < 2; time++)
        {
            await archive.PutManifestAsync(Repository, Digest, Content, CancellationToken.None);

            Assert.Equal([data, link, "registry-store.json"], Files());
            Assert.Equal(Content, await File.ReadAllBytesAsync(_folder.Combine(data)));
            Assert.Equal(Digest.ToString(), await File.ReadAllTextAsync(_folder.Combine(link)));
        }
    }

    [Fact]
    public async Task A_short_copy_of_a_manifest_is_replaced()
    {
        var archive = await StartAsync();
        await archive.PutManifestAsync(Repository, Digest, Content, CancellationToken.None);
        var data = _folder.Combine(Files().First());
        await File.WriteAllTextAsync(data, "{");

        await archive.PutManifestAsync(Repository, Digest, Content, CancellationToken.None);

        Assert.Equal(Content, await File.ReadAllBytesAsync(data));
    }

    [Fact]
    public async Task A_tag_has_its_present_and_its_past()
    {
        var archive = await StartAsync();
        await archive.PutTagAsync(Repository, Tag, Digest, CancellationToken.None);
        await archive.PutTagAsync(Repository, Tag, Newer, CancellationToken.None);
        await archive.PutTagAsync(Repository, Tag, Newer, CancellationToken.None);

        const string Folder = $"{Top}/repositories/team/app/_manifests/tags/1.0";
        Assert.Equal(
            [
                $"{Folder}/current/link",
                $"{Folder}/index/sha256/{Digest.Hex}/link",
                $"{Folder}/index/sha512/{Newer.Hex}/link",
                "registry-store.json",
            ],
            Files());
        Assert.Equal(Newer.ToString(), await File.ReadAllTextAsync(_folder.Combine(Folder, "current", "link")));
    }

    [Fact]
    public async Task What_is_removed_can_be_removed_again_and_put_again()
    {
        var archive = await StartAsync();
        for (var time = 0; time < 2; time++)
        {
            await archive.PutManifestAsync(Repository, Digest, Content, CancellationToken.None);
            await archive.PutTagAsync(Repository, Tag, Digest, CancellationToken.None);
            Assert.Equal(5, Files().Count());

            for (var again = 0; again < 2; again++)
            {
                await archive.RemoveTagAsync(Repository, Tag, CancellationToken.None);
                await archive.RemoveManifestAsync(Repository, Digest, CancellationToken.None);
            }

            Assert.Equal(2, Files().Count()); // the bytes, which other repositories may have too, and the guard
        }
    }

    [Fact]
    public async Task What_was_never_there_can_be_removed()
    {
        var archive = await StartAsync();
        await archive.RemoveTagAsync(Repository, Tag, CancellationToken.None);
        await archive.RemoveManifestAsync(Repository, Digest, CancellationToken.None);
    }

    [Fact]
    public async Task Other_registries_have_a_folder_of_their_own()
    {
        var archive = await StartAsync();
        var repository = Repository with { Registry = RegistryName.Parse("hub") };
        await archive.PutManifestAsync(repository, Digest, Content, CancellationToken.None);
        await archive.PutTagAsync(repository, Tag, Digest, CancellationToken.None);
        Assert.Equal(3, Files().Count(file => file.StartsWith("registries/hub/repositories/team/app/_manifests/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_copy_that_cannot_be_written_says_so()
    {
        var archive = await StartAsync();
        Directory.CreateDirectory(_folder.Combine(Top));
        await File.WriteAllTextAsync(_folder.Combine(Top, "repositories"), "a file where a folder belongs");
        var failure = await Assert.ThrowsAsync<StorageException>(
            () => archive.PutTagAsync(Repository, Tag, Digest, CancellationToken.None));
        Assert.Equal(ErrorReason.Unavailable, failure.Error.Reason);
    }

    private async Task<IManifestArchive> StartAsync() => (await FileSystemStores.StartAsync(_folder.Path)).Manifests;

    private IEnumerable<string> Files() => FileSystemStores.FilesBelow(_folder.Path);
}
