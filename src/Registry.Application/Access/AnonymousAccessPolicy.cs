using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>Rights out of <see cref="AccessOptions.Anonymous"/> alone: every principal has what everybody has.</summary>
internal sealed class AnonymousAccessPolicy(AccessOptions options) : IAccessPolicy
{
    private readonly AnonymousAccess _anonymous = options.Anonymous ?? AnonymousAccess.Push;

    public bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action)
        => AllowsAnywhere(principal, action);

    public bool AllowsAnywhere(Principal principal, RegistryAction action) => action switch
    {
        RegistryAction.Pull => _anonymous is AnonymousAccess.Pull or AnonymousAccess.Push,
        RegistryAction.Push or RegistryAction.Delete => _anonymous is AnonymousAccess.Push,
        _ => false,
    };
}
