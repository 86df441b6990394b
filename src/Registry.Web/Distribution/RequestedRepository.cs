using Registry.Application.Registries;
using Registry.Domain.Repositories;

namespace Registry.Web.Distribution;

/// <summary>The repository that a request's path names, resolved once however often it is asked for.</summary>
/// <param name="Text">The name as it stands in the path.</param>
/// <param name="FullPath">The path before it was shortened for routing.</param>
internal sealed record RequestedRepository(string Text, PathString FullPath)
{
    private RepositoryAddress? _address;

    /// <summary>Whether a repository can be called so at all.</summary>
    public bool IsName() => RepositoryName.TryParse(Text, out _);

    /// <summary>Whether the path is about upload sessions.</summary>
    public bool IsUpload()
        => FullPath.Value.AsSpan("/v2/".Length + Text.Length).StartsWith("/blobs/uploads/");

    /// <summary>Null when the name is malformed or no registry takes it.</summary>
    public RepositoryAddress? Resolve(HttpContext context)
    {
        if (_address is null && RepositoryName.TryParse(Text, out var name))
        {
            var registries = context.RequestServices.GetRequiredService<RegistryMap>();
            var request = context.Request;
            var ns = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
                ? request.Query["ns"].ToString()
                : null;
            _address = registries.Resolve(request.Host.Host, ns, name);
        }

        return _address;
    }
}
