using Microsoft.Extensions.Logging;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>The keys of an issuer in a file, as it has them now.</summary>
/// <param name="key">Of the issuer's settings.</param>
internal sealed class KeysFile(string key, string path, TimeProvider time, ILogger logger) : IIssuerKeys
{
    private readonly WatchedFile<JwtKey[]> _file = new(
        $"{key}:KeysFile", path, "name a file that the server's user may read, with the issuer's JWK set",
        KeySet.MaxBytes, content => KeySet.Parse(content),
        keys => FormattableString.Invariant($"{keys.Length} keys"), time, logger);

    public JwtKey[]? Known => _file.Current;

    public void Open() => _file.Open();

    public Task LookAgainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        // Keys hold no more than memory.
    }
}
