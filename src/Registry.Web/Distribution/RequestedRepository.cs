using Registry.Application.Registries;
using Registry.Domain.Repositories;
using Registry.Web.Requests;

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
            _address = registries.Resolve(context.Request.RequestedHost(), AskedNamespace(context.Request), name);
            if (_address is not null && (IsUpload() || !IsRead(context.Request)))
                _address = registries.ForChange(_address);
        }

        return _address;
    }

    /// <summary>
    /// The upstream that the client wants a mirror of (distribution-spec, "Proxying"), when it is one of a proxy
    /// registry and has decided which repository is meant; otherwise null.
    /// </summary>
    public string? Namespace(HttpContext context) => Resolve(context) is null ? null : DecidingNamespace(context);

    /// <summary>The upstream that the client wants a mirror of, when no registry is one; otherwise null.</summary>
    public string? UnknownNamespace(HttpContext context)
        => Resolve(context) is null ? DecidingNamespace(context) : null;

    private string? DecidingNamespace(HttpContext context)
        => AskedNamespace(context.Request) is { Length: > 0 } ns
            && !context.RequestServices.GetRequiredService<RegistryMap>().HasHost(context.Request.RequestedHost())
                ? ns
                : null;

    // A push minds none, also where it asks how far it is.
    private string? AskedNamespace(HttpRequest request)
        => IsRead(request) && !IsUpload() ? request.Query["ns"].ToString() : null;

    private static bool IsRead(HttpRequest request)
        => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
}
