using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>
/// Workloads that show a token of their issuer (OpenID Connect) as the password, whatever the user is called. They have
/// no account: each is who its token says, until that ends.
/// </summary>
internal sealed class WorkloadProvider : IUserProvider, IOpenedAtStart, IDisposable
{
    private readonly WorkloadIssuer[] _issuers;

    public WorkloadProvider(
        IEnumerable<WorkloadSettings> issuers, IStoredAccess stored, TimeProvider time,
        ILogger<WorkloadProvider> logger)
        => _issuers =
        [
            .. issuers.Select((issuer, i) => new WorkloadIssuer(
                FormattableString.Invariant($"Registry:Access:Workload:{i}"), issuer, stored, time, logger)),
        ];

    public string Name => ProviderNames.Workload;

    public bool IsGuessable => false;

    /// <exception cref="StartRefusedException">A file of keys cannot be used.</exception>
    public void Open()
    {
        foreach (var issuer in _issuers)
            issuer.Open();
    }

    public Principal? Recall(string user, string password)
    {
        foreach (var issuer in IssuersOf(password))
        {
            if (issuer.Recall(password) is { } recalled && recalled.TryGet(out var principal, out _))
                return principal;
        }

        return null;
    }

    public async Task<Result<Principal?>> VerifyAsync(
        string user, string password, CancellationToken cancellationToken)
    {
        IReadOnlyList<OciError> refusal = [];
        foreach (var issuer in IssuersOf(password))
        {
            var verified = await issuer.VerifyAsync(password, cancellationToken);
            if (verified.TryGet(out var principal, out var errors))
                return principal;
            // That one issuer's keys are not to be had now tells more than that the token is not another's.
            if (refusal is [] || errors[0].Reason is ErrorReason.Unavailable)
                refusal = errors;
        }

        return refusal is [] ? Result<Principal?>.Of(null) : Result<Principal?>.Refused(refusal);
    }

    public ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken)
        => new(Result<Principal?>.Of(null));

    public void Dispose()
    {
        foreach (var issuer in _issuers)
            issuer.Dispose();
    }

    // Several may have one name: clusters that know nothing of each other.
    private IEnumerable<WorkloadIssuer> IssuersOf(string password)
        => JsonWebToken.IssuerOf(password) is { } name ? _issuers.Where(issuer => issuer.Issuer == name) : [];
}
