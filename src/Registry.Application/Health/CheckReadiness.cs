using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Health;

/// <summary>Whether every part works that requests need.</summary>
public sealed record CheckReadinessQuery : IRequest<Result<IReadOnlyList<ReadyPart>>>;

/// <param name="Problem">Null when the part works.</param>
public sealed record ReadyPart(string Part, string? Problem);

internal sealed class CheckReadinessHandler(IEnumerable<IReadinessCheck> checks)
    : IRequestHandler<CheckReadinessQuery, Result<IReadOnlyList<ReadyPart>>>
{
    public async Task<Result<IReadOnlyList<ReadyPart>>> Handle(
        CheckReadinessQuery query, CancellationToken cancellationToken)
    {
        var parts = new List<ReadyPart>();
        foreach (var check in checks)
            parts.Add(new(check.Part, await check.FindProblemAsync(cancellationToken)));
        return Result<IReadOnlyList<ReadyPart>>.Of(parts);
    }
}
