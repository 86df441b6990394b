using Registry.Application.Asking;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// What upstreams did not have, or could not give, a short while ago: they are not asked for it again at once.
/// </summary>
internal sealed class Absences(ProxyRules rules, TimeProvider time)
{
    // A blob of gigabytes that turns out wrong is not fetched again for everybody who asks.
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(10);

    private readonly ShortMemory<(RepositoryIdentity, string), OciError> _known = new(time);

    /// <param name="what">A tag or digest.</param>
    public OciError? Find(RepositoryIdentity repository, object what)
        => _known.TryGet((repository, what.ToString()!), out var error) ? error : null;

    /// <summary>
    /// Notes what the upstream has answered: that it has no such thing, for as long as the registry's settings say;
    /// a fault, for a moment.
    /// </summary>
    public void Note(RepositoryIdentity repository, object what, OciError error)
        => _known.Put(
            (repository, what.ToString()!),
            error,
            error.Reason is ErrorReason.NotFound ? rules.SettingsOf(repository).NegativeTtl : AfterFault);
}
