using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Upstreams;

/// <summary>One question to an upstream.</summary>
/// <param name="Unknown">The answer when it does not have it, or does not show it.</param>
internal sealed record UpstreamRequest(HttpMethod Method, Uri Place, RepositoryName Repository, OciError Unknown)
{
    /// <summary>Media types that are wanted.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>The first byte that is wanted.</summary>
    public long Offset { get; init; }

    /// <summary>
    /// Codes with which an answer 404 to a GET says that the registry itself does not know it, and not something in
    /// front of it. When there are none, every 404 says so.
    /// </summary>
    public IReadOnlyList<string> UnknownCodes { get; init; } = [];

    /// <summary>What else than 200 is an answer.</summary>
    public IReadOnlyList<int> AlsoGood { get; init; } = [];
}
