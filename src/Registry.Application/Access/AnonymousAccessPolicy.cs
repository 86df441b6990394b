using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>Rights out of <see cref="AccessOptions.Anonymous"/> alone, the same in every repository.</summary>
internal sealed class AnonymousAccessPolicy(AccessOptions options) : IAccessPolicy
{
    public bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action)
        => AllowsAnywhere(principal, action);

    public bool AllowsAnywhere(Principal principal, RegistryAction action)
    {
        if (principal == Principal.Local)
            return options.Anonymous is null;
        if (principal != Principal.Anonymous)
            return false;
        return action switch
        {
            RegistryAction.Pull => options.Anonymous is AnonymousAccess.Pull or AnonymousAccess.Push,
            RegistryAction.Push or RegistryAction.Delete => options.Anonymous is AnonymousAccess.Push,
            _ => false,
        };
    }
}
