using Microsoft.Extensions.DependencyInjection;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Startup;

/// <summary>
/// Opens the database, and nothing else, for a command: beside a server that may run and without being one.
/// </summary>
public static class CommandStart
{
    /// <param name="services">Of a registry whose hosted services are not started.</param>
    /// <exception cref="StartRefusedException">
    /// The database cannot be used, or has another program's schema while a server of that program runs.
    /// </exception>
    public static async Task OpenAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var database = services.GetRequiredService<RegistryDatabase>();
        // A server never runs on a schema that is not its own: who would change it must be alone.
        if (!await database.IsCurrentAsync(cancellationToken))
            services.GetRequiredService<DataFolder>().Hold();
        await database.OpenAsync(cancellationToken);
        await services.GetRequiredService<AccessChanges>().RefreshAsync(cancellationToken);
    }
}
