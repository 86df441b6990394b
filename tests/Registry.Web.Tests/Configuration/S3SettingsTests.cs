using Registry.Infrastructure;

namespace Registry.Web.Tests.Configuration;

/// <summary>Settings of an S3 store that cannot be meant so stop the start; no server is asked.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class S3SettingsTests
{
    private static readonly (string Key, string? Value)[] Good =
    [
        ("Stores:cloud:Kind", "S3"), ("Stores:cloud:Bucket", "images"), ("Stores:cloud:ServiceUrl", "http://127.0.0.1:1"),
        ("Stores:cloud:AccessKey", "key"), ("Stores:cloud:SecretKey", "the-secret"), ("Registries:default:Store", "cloud"),
    ];

    [Theory]
    [InlineData("Stores:cloud:Bucket", null, "Registry:Stores:cloud:Bucket is empty")]
    [InlineData("Stores:cloud:Root", "/srv", "Registry:Stores:cloud:Root is set, but Kind is S3")]
    [InlineData("Stores:cloud:ServiceUrl", "minio:9000", "Registry:Stores:cloud:ServiceUrl is 'minio:9000'")]
    [InlineData("Stores:cloud:Region", "", "Registry:Stores:cloud:Region is empty")]
    [InlineData("Stores:cloud:SecretKey", null, "Registry:Stores:cloud:AccessKey is 'key', but there is no secret for it")]
    [InlineData("Stores:cloud:AccessKey", null, "Registry:Stores:cloud:AccessKey is empty, but there is a secret")]
    [InlineData("Stores:cloud:SecretKeyFile", "/etc/secret", "SecretKeyFile are both set")]
    [InlineData("Stores:cloud:Timeout", "00:00:00", "Registry:Stores:cloud:Timeout is 00:00:00")]
    [InlineData("Stores:cloud:RedirectMinBytes", "-1", "Registry:Stores:cloud:RedirectMinBytes is -1")]
    [InlineData("Stores:cloud:Kind", "FileSystem", "Registry:Stores:cloud:Bucket is 'images', but Kind is FileSystem")]
    public async Task A_setting_that_does_not_fit_is_named(string key, string? value, string message)
    {
        var refusal = await RefuseAsync([.. Good.Where(setting => setting.Key != key), (key, value)]);
        Assert.Contains(message, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("a", "a")]
    [InlineData("a", "a/b/")]
    [InlineData(null, "a")]
    public async Task Two_stores_do_not_share_a_prefix(string? one, string? other)
    {
        var second = Good.Take(5).Select(setting => (setting.Key.Replace("cloud", "cold", StringComparison.Ordinal), setting.Value));
        var refusal = await RefuseAsync(
            [.. Good, .. second, ("Stores:cloud:Prefix", one), ("Stores:cold:Prefix", other)]);
        Assert.Contains("Registry:Stores:cloud and Registry:Stores:cold overlap", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_local_folder_is_no_other_stores()
    {
        using var folder = new TemporaryFolder();
        var refusal = await RefuseAsync(
            [.. Good, ("Stores:cold:Root", folder.Path), ("Stores:cloud:Staging", folder.Combine("arriving"))]);
        Assert.Contains("Registry:Stores:cloud:Staging '", refusal, StringComparison.Ordinal);
        Assert.Contains("Registry:Stores:cold:Root '", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fits_is_taken_as_far_as_the_server()
        => Assert.Contains("cannot be reached", await RefuseAsync(Good), StringComparison.Ordinal);

    private static async Task<string> RefuseAsync(params (string Key, string? Value)[] settings)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => RegistryFactory.StartAsync(settings));
        Assert.DoesNotContain("the-secret", refusal.Message, StringComparison.Ordinal);
        return refusal.Message;
    }
}
