using MediatR;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Registries;

/// <summary>The registries of the instance in which there can be something that the principal may pull.</summary>
public sealed record ListRegistriesQuery(Principal Principal) : IRequest<Result<IReadOnlyList<ListedRegistry>>>;

public sealed record ListedRegistry(string Name, RegistryKind Kind, string Path, IReadOnlyList<string> Hosts);

internal sealed class ListRegistriesHandler(RegistryMap registries, IAccessPolicy access)
    : IRequestHandler<ListRegistriesQuery, Result<IReadOnlyList<ListedRegistry>>>
{
    public Task<Result<IReadOnlyList<ListedRegistry>>> Handle(
        ListRegistriesQuery query, CancellationToken cancellationToken)
        => Task.FromResult(Result<IReadOnlyList<ListedRegistry>>.Of(
        [
            .. registries.All
                .Where(registry => access.PullPrefixes(query.Principal, registry.Name).Count > 0)
                .Select(registry => new ListedRegistry(
                registry.Name.Value, registry.Settings.Kind, registry.Settings.Path, [.. registry.Settings.Hosts])),
        ]));
}
