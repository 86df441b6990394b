namespace Registry.Testing;

/// <summary>
/// Marks tests that would be the same tests again when all others run on PostgreSQL and S3. That run leaves them out
/// (a filter of <c>test.sh</c>), so that nobody counts them twice, or as skipped when they have just passed.
/// </summary>
public static class Backend
{
    public const string Trait = "Backend";

    /// <summary>The test names its database and store, or a configuration that cannot be served.</summary>
    public const string Own = "Own";

    /// <summary>The test is about the folder store, or the data's folder: its files, and what goes wrong with them.</summary>
    public const string Folder = "Folder";

    /// <summary>The test is about what happens before any database or store is asked.</summary>
    public const string Neither = "Neither";
}
