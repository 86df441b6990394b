using Microsoft.Extensions.Hosting;
using Registry.Application.Access;
using Registry.Application.Catalog;
using Registry.Application.Registries;
using Registry.Infrastructure.Access;
using Registry.Infrastructure.Access.Local;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Stores;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure.Startup;

/// <summary>
/// Takes hold of folder, stores and database before the first request, in an application of any kind.
/// </summary>
internal sealed class RegistryStartup(
    DataFolder data, BlobStores stores, StoreMarks marks, RegistryDatabase database, RegistryMap registries,
    ICatalog catalog, AccessChanges access, IEnumerable<IUserProvider> providers, HttpUpstreams upstreams,
    FirstAdmin? admin = null)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var provider in providers.OfType<IOpenedAtStart>())
            provider.Open();
        upstreams.Open();
        data.Hold();
        await database.OpenAsync(cancellationToken);
        await access.RefreshAsync(cancellationToken);
        // Of nodes that start at once, one makes a new store its own and the first user, and the others find it so.
        await database.AloneAsync(() => PrepareAsync(cancellationToken), cancellationToken);
        await RefuseHiddenRepositoriesAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        admin?.Tell();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await PrepareStoresAsync(cancellationToken);
        if (admin is not null)
            await admin.PrepareAsync(cancellationToken);
    }

    private async Task PrepareStoresAsync(CancellationToken cancellationToken)
    {
        foreach (var store in stores.Adapters)
        {
            var known = await marks.FindAsync(store.Name, cancellationToken);
            var mark = await store.PrepareAsync(known, cancellationToken);
            store.Hold();
            if (known is null)
                await marks.RecordAsync(store.Name, mark, cancellationToken);
        }
    }

    // A path given to one registry takes names away from the registry at the root: what is stored under them could not
    // be reached any more, and another content would answer to the same name.
    private async Task RefuseHiddenRepositoriesAsync(CancellationToken cancellationToken)
    {
        var visible = registries.Visible(host: null);
        foreach (var (root, _) in visible.Where(registry => registry.Prefix.Length == 0))
        {
            foreach (var (other, prefix) in visible.Where(registry => registry.Prefix.Length > 0))
            {
                var hidden = await catalog.ListAsync(root, after: null, prefix, limit: 3, cancellationToken);
                if (hidden.Count > 0)
                {
                    throw new StartRefusedException(
                        $"Registry:Registries:{other}:Path is '{prefix.TrimEnd('/')}', which would hide "
                        + $"repositories stored in registry '{root}' ({string.Join(", ", hidden)} …): "
                        + "choose another path, or move them first.");
                }
            }
        }
    }
}
