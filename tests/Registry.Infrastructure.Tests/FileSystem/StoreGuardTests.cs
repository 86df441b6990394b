using Registry.Infrastructure.Tests.Stores;

namespace Registry.Infrastructure.Tests.FileSystem;

public sealed class StoreGuardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.Combine("root");

    private string Guard => Path.Combine(Root, "registry-store.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_root_is_created_and_marked()
    {
        await FileSystemStores.StartAsync(Root);
        Assert.Matches("""^{"product":"registry","layout":1,"id":"[0-9a-f-]{36}"}$""", await File.ReadAllTextAsync(Guard));
    }

    [Fact]
    public async Task A_root_of_ours_is_used_again()
    {
        await (await FileSystemStores.StartAsync(Root)).PushAsync([1]);
        await FileSystemStores.StartAsync(Root);
    }

    [Fact]
    public async Task A_root_of_a_newer_layout_is_refused()
    {
        await MarkAsync("""{"product":"registry","layout":2,"more":"things"}""");
        await AssertRefusedAsync("layout 2", "newer version");
    }

    [Theory]
    [InlineData("""{"product":"something","layout":1}""")]
    [InlineData("""{"product":"registry"}""")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("no JSON")]
    public async Task A_root_of_another_product_is_refused(string mark)
    {
        await MarkAsync(mark);
        await AssertRefusedAsync("registry-store.json", "Choose an empty folder");
    }

    [Fact]
    public async Task A_root_with_the_data_of_another_registry_is_refused_and_stays_as_it_is()
    {
        Directory.CreateDirectory(Path.Combine(Root, "docker/registry/v2/blobs"));
        await AssertRefusedAsync("another registry", "import");
        Assert.Empty(FileSystemStores.FilesBelow(Root));
    }

    [Fact]
    public async Task A_root_that_is_a_file_is_refused()
    {
        await File.WriteAllTextAsync(Root, "");
        await AssertRefusedAsync("cannot be used", "choose another folder");
    }

    [Fact]
    public async Task A_staging_folder_that_cannot_be_used_is_refused_under_its_own_key()
    {
        var file = _folder.Combine("file");
        await File.WriteAllTextAsync(file, "");
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => FileSystemStores.StartAsync(Root, file));
        Assert.StartsWith($"Registry:Stores:main:Staging is '{file}'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_root_must_be_named()
    {
        var refusal = Assert.Throws<StartRefusedException>(() => FileSystemStores.Create(" "));
        Assert.StartsWith("Registry:Stores:main:Root", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_crash_left_on_its_way_is_deleted_once_nobody_can_be_writing_it()
    {
        await FileSystemStores.StartAsync(Root);
        var (old, fresh) = (Path.Combine(Root, "_temporary", "old"), Path.Combine(Root, "_temporary", "fresh"));
        await File.WriteAllTextAsync(old, "");
        await File.WriteAllTextAsync(fresh, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-2));

        await FileSystemStores.StartAsync(Root);

        Assert.False(File.Exists(old));
        Assert.True(File.Exists(fresh));
    }

    [Fact]
    public async Task A_store_that_the_database_knows_is_not_taken_for_a_new_one_when_its_disk_is_not_there()
    {
        var mark = await FileSystemStores.Create(Root).PrepareAsync(known: null, CancellationToken.None);
        Assert.Equal(mark, await FileSystemStores.Create(Root).PrepareAsync(mark, CancellationToken.None));

        Directory.Move(Root, $"{Root}-unmounted");
        Directory.CreateDirectory(Root);
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(
            () => FileSystemStores.Create(Root).PrepareAsync(mark, CancellationToken.None));

        Assert.Contains("Mount the disk", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
    }

    [Fact]
    public async Task Another_store_is_not_taken_for_the_one_that_the_database_knows()
    {
        await FileSystemStores.StartAsync(Root);
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(
            () => FileSystemStores.Create(Root).PrepareAsync("another", CancellationToken.None));
        Assert.Contains("not the folder that the database knows", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_other_files_is_refused_but_for_what_a_new_disk_holds()
    {
        Directory.CreateDirectory(Path.Combine(Root, "lost+found"));
        await File.WriteAllTextAsync(Path.Combine(Root, "letter.txt"), "Dear");
        await AssertRefusedAsync("holds other files", "empty folder");

        File.Delete(Path.Combine(Root, "letter.txt"));
        await FileSystemStores.StartAsync(Root);
    }

    [Fact]
    public async Task One_process_has_a_store_at_a_time()
    {
        var first = await FileSystemStores.StartAsync(Root);
        var second = await FileSystemStores.StartAsync(Root);
        first.Hold();
        Assert.Contains("in use", Assert.Throws<StartRefusedException>(second.Hold).Message, StringComparison.Ordinal);

        first.Dispose();
        second.Hold();
        second.Dispose();
    }

    [Fact]
    public async Task Other_files_in_the_staging_folder_are_nobodys_uploads()
    {
        var store = await FileSystemStores.StartAsync(Root);
        var other = Path.Combine(Root, "_uploads", Guid.NewGuid().ToString());
        await File.WriteAllTextAsync(other, "");
        File.SetLastWriteTimeUtc(other, DateTime.UtcNow.AddDays(-9));
        Assert.Empty(await store.Staging.ListUntouchedSinceAsync(DateTimeOffset.UtcNow, CancellationToken.None).ToListAsync());
    }

    private async Task MarkAsync(string mark)
    {
        Directory.CreateDirectory(Root);
        await File.WriteAllTextAsync(Guard, mark);
    }

    private async Task AssertRefusedAsync(params string[] parts)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => FileSystemStores.StartAsync(Root));
        Assert.StartsWith($"Registry:Stores:main:Root is '{Root}'", refusal.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, refusal.Message, StringComparison.Ordinal));
    }
}
