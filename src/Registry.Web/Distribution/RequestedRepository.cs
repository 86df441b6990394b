using Registry.Application.Registries;
using Registry.Domain.Repositories;

namespace Registry.Web.Distribution;

/// <summary>The repository that a request's path names, resolved once however often it is asked for.</summary>
/// <param name="Text">The name as it stands in the path.</param>
/// <param name="FullPath">The path before it was shortened for routing.</param>
internal sealed record RequestedRepository(string Text, PathString FullPath)
{
    private RepositoryAddress? _address;

    /// <summary>Null when the name is malformed or no registry takes it.</summary>
    public RepositoryAddress? Resolve(HttpContext context)
    {
        if (_address is null && RepositoryName.TryParse(Text, out var name))
        {
            var registries = context.RequestServices.GetRequiredService<RegistryMap>();
            _address = registries.Resolve(context.Request.Host.Host, context.Request.Query["ns"], name);
        }

        return _address;
    }
}
