using System.Security.Cryptography;
using Dapper;
using Registry.Application.Access;
using Registry.Infrastructure.Access.Jwt;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Bearer;

/// <summary>
/// The keys that bearer tokens are signed with: in the database, so that every node takes the tokens of every other.
/// A key signs for <c>Registry:Access:Tokens:KeyLifetime</c>, and counts until the last token that it signed has ended.
/// </summary>
internal sealed class SigningKeys(RegistryDatabase database, AccessOptions options, TimeProvider time) : IDisposable
{
    // Between the moment a node takes a key for the newest one and the moment it signs its last token with it.
    private static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    // A token with an unknown key is a new node's, or nonsense: nonsense must not become a query for each request.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile SigningKey[] _keys = [];
    private long _looked;

    /// <summary>The keys that are known here and may have signed a token that has not ended, newest first.</summary>
    public IEnumerable<SigningKey> Known => _keys.Where(key => Age(key) < Counted);

    private TimeSpan Counted => options.Tokens.KeyLifetime + options.Tokens.Lifetime + Margin;

    /// <summary>The key to sign with, made when there is none or the newest one is too old.</summary>
    public async ValueTask<SigningKey> CurrentAsync(CancellationToken cancellationToken)
    {
        if (_keys is [var newest, ..] && !IsRetired(newest))
            return newest;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await LoadAsync(cancellationToken);
            if (_keys.Length == 0 || IsRetired(_keys[0]))
            {
                await database.WriteAsync(AddAsync, durable: true, cancellationToken);
                await LoadAsync(cancellationToken);
            }

            return _keys[0];
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Looks for keys that other nodes have made, unless that was done just now.</summary>
    /// <returns>Whether it looked.</returns>
    public async ValueTask<bool> LookAgainAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_looked != 0 && time.GetElapsedTime(_looked) < LookAgain)
                return false;
            await LoadAsync(cancellationToken);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        foreach (var key in _keys)
            key.Private.Dispose();
    }

    private TimeSpan Age(SigningKey key) => time.GetUtcNow() - key.CreatedAt;

    private bool IsRetired(SigningKey key) => Age(key) >= options.Tokens.KeyLifetime;

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(
            session => session.Connection.QueryAsync<Row>(
                "SELECT id, private_key AS PrivateKey, created_at AS CreatedAt FROM signing_keys "
                + "ORDER BY created_at DESC, id"),
            cancellationToken);
        var known = _keys.ToDictionary(key => key.Id, StringComparer.Ordinal);
        _keys = [.. rows.Select(row => known.GetValueOrDefault(row.Id) ?? row.ToKey())];
        _looked = time.GetTimestamp();
    }

    private async Task<int> AddAsync(DatabaseSession session)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        await session.ExecuteAsync(
            "INSERT INTO signing_keys (id, private_key, created_at) VALUES (@id, @key, registry_now())",
            ("@id", id),
            ("@key", key.ExportPkcs8PrivateKey()));
        return await session.ExecuteAsync(
            "DELETE FROM signing_keys WHERE created_at < registry_now() - @counted",
            ("@counted", (long)Counted.TotalMilliseconds));
    }

    private sealed record Row(string Id, byte[] PrivateKey, long CreatedAt)
    {
        public SigningKey ToKey()
        {
            var key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(PrivateKey, out _);
            return new(Id, key, new(Id, JwtKey.Es256, key), DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
        }
    }
}

internal sealed record SigningKey(string Id, ECDsa Private, JwtKey Public, DateTimeOffset CreatedAt);
