using Dapper;
using Registry.Application.Health;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

internal sealed class DatabaseReadiness(RegistryDatabase database) : IReadinessCheck
{
    public string Part => "database";

    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            await database.ReadAsync(
                session => session.Connection.ExecuteScalarAsync<long>("SELECT 1"), cancellationToken);
            return null;
        }
        catch (StorageException e)
        {
            return e.Error.Message;
        }
    }
}
