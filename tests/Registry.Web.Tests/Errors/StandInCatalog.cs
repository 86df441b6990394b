using Registry.Application.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Web.Tests.Errors;

/// <summary>An empty catalog that does what a test says before it answers.</summary>
internal sealed class StandInCatalog(Func<CancellationToken, Task> listAsync) : ICatalog
{
    public async Task<IReadOnlyList<string>> ListAsync(
        RegistryName registry, string? after, string prefix, int limit, CancellationToken cancellationToken)
    {
        await listAsync(cancellationToken);
        return [];
    }

    public Task<bool> ExistsAsync(RepositoryIdentity repository, CancellationToken cancellationToken) => Task.FromResult(false);

    public Task<bool> IsTakenAsync(RepositoryIdentity repository, CancellationToken cancellationToken) => Task.FromResult(false);
}
