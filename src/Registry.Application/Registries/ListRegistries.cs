using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Registries;

/// <summary>The registries of the instance.</summary>
public sealed record ListRegistriesQuery : IRequest<Result<IReadOnlyList<ListedRegistry>>>;

public sealed record ListedRegistry(string Name, RegistryKind Kind, string Path, IReadOnlyList<string> Hosts);

internal sealed class ListRegistriesHandler(RegistryMap registries)
    : IRequestHandler<ListRegistriesQuery, Result<IReadOnlyList<ListedRegistry>>>
{
    public Task<Result<IReadOnlyList<ListedRegistry>>> Handle(
        ListRegistriesQuery query, CancellationToken cancellationToken)
        => Task.FromResult(Result<IReadOnlyList<ListedRegistry>>.Of(
        [
            .. registries.All.Select(registry => new ListedRegistry(
                registry.Name.Value, registry.Settings.Kind, registry.Settings.Path, [.. registry.Settings.Hosts])),
        ]));
}
