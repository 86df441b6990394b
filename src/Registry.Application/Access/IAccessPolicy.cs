using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>The one judge of who may do what. What is not allowed is denied.</summary>
public interface IAccessPolicy
{
    bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action);
}
