namespace Registry.Web.Tests.Configuration;

/// <summary>No two stores share a folder, whole or in part.</summary>
[Trait(Backend.Trait, Backend.Folder)]
public sealed class StoreFoldersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("x", null, "x", null, "default:Root", "cold:Root")]
    [InlineData("x", null, "x/", null, "default:Root", "cold:Root")]
    [InlineData("x", null, "y/../x/inside", null, "default:Root", "cold:Root")]
    [InlineData("x/inside", null, "x", null, "default:Root", "cold:Root")]
    [InlineData("x", "up", "y", "up", "default:Staging", "cold:Staging")]
    [InlineData("x", "up", "y", "up/inside", "default:Staging", "cold:Staging")]
    [InlineData("x", "y/_uploads", "y", null, "default:Staging", "cold:Root")]
    [InlineData("x", null, "y", "x/_uploads", "default:Root", "cold:Staging")]
    [InlineData("x", "x", "y", null, "default:Root", "default:Staging")]
    [InlineData("x/inside", "x", "y", null, "default:Root", "default:Staging")]
    public async Task Folders_that_overlap_stop_the_start_and_both_keys_are_named(
        string root, string? staging, string otherRoot, string? otherStaging, params string[] keys)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var registry = await StartAsync(root, staging, otherRoot, otherStaging);
        });

        Assert.All(keys, key => Assert.Contains($"Registry:Stores:{key} ", failure.Message, StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("x", null, "xy", null)]
    [InlineData("x", "x/_uploads", "y", "x-up")]
    [InlineData("x", "up/x", "y", "up/y")]
    public async Task Folders_beside_each_other_are_taken(string root, string? staging, string otherRoot, string? otherStaging)
    {
        await using var registry = await StartAsync(root, staging, otherRoot, otherStaging);

        await registry.Client.PushImageAsync("a", "v1");
        await registry.Client.PushImageAsync("cold/a", "v1");
    }

    private Task<RegistryFactory> StartAsync(string root, string? staging, string otherRoot, string? otherStaging)
        => RegistryFactory.StartAsync(
            ("Stores:default:Root", _folder.Combine(root)),
            ("Stores:default:Staging", staging is null ? null : _folder.Combine(staging)),
            ("Stores:cold:Root", _folder.Combine(otherRoot)),
            ("Stores:cold:Staging", otherStaging is null ? null : _folder.Combine(otherStaging)),
            ("Registries:default:Path", ""),
            ("Registries:cold:Path", "cold"),
            ("Registries:cold:Store", "cold"));
}
