using Registry.Application.Health;

namespace Registry.Infrastructure.Stores;

internal sealed class StoreReadiness(BlobStores stores) : IReadinessCheck
{
    public string Part => "stores";

    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        foreach (var store in stores.Adapters)
        {
            if (await store.FindProblemAsync(cancellationToken) is { } problem)
                return problem;
        }

        return null;
    }
}
