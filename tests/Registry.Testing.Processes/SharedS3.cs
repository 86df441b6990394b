namespace Registry.Testing.Processes;

/// <summary>
/// One S3 server for all tests of this process, started by the first that needs it. A prefix is as good as a bucket of
/// one's own, and need not be made.
/// </summary>
public static class SharedS3
{
    // On a thread of the pool: a test's own may be waiting for it.
    private static readonly Lazy<Task<S3Server>> Started = new(() => Task.Run(() => S3Server.StartAsync()));

    public static S3Server Server => Started.Value.GetAwaiter().GetResult();

    /// <summary>A prefix that no other test uses.</summary>
    public static string NewPrefix() => $"test/{Guid.NewGuid():N}";

    /// <summary>Settings of one store of a registry, with a prefix of its own; keys below <c>Registry:</c>.</summary>
    /// <param name="address">What stands in front of the server, if anything does.</param>
    public static IEnumerable<(string Key, string? Value)> StoreSettings(string name = "default", Uri? address = null)
        => Server.Settings(NewPrefix(), address).Select(setting => ($"Stores:{name}:{setting.Key}", setting.Value));
}
