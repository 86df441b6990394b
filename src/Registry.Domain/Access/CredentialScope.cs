using Registry.Domain.Repositories;

namespace Registry.Domain.Access;

/// <summary>
/// What a credential can be used for at most, whatever its owner may do. It gives nothing by itself.
/// </summary>
public sealed record CredentialScope(IReadOnlyList<AccessGrant> Grants)
{
    public bool Covers(RepositoryIdentity repository, RegistryAction action)
    {
        foreach (var grant in Grants)
        {
            if (grant.Covers(repository, action))
                return true;
        }

        return false;
    }
}
