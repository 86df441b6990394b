using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

internal static class S3Secret
{
    /// <exception cref="StartRefusedException">The file cannot be read.</exception>
    public static string Read(string store, StoreOptions options)
    {
        if (options.SecretKeyFile is not { Length: > 0 } file)
            return options.SecretKey ?? "";
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } secret
                ? secret
                : throw new StartRefusedException(
                    $"Registry:Stores:{store}:SecretKeyFile is '{file}', which is empty: write the secret into it.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                $"Registry:Stores:{store}:SecretKeyFile is '{file}', which cannot be read ({e.Message}): "
                + "name a file that the server's user may read.",
                e);
        }
    }
}
