using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

public sealed record GetRuleQuery(string Id) : IRequest<Result<StoredRule>>;

internal sealed class GetRuleHandler(IAccessRules rules) : IRequestHandler<GetRuleQuery, Result<StoredRule>>
{
    public async Task<Result<StoredRule>> Handle(GetRuleQuery query, CancellationToken cancellationToken)
        => await rules.FindAsync(query.Id, cancellationToken) is { } rule
            ? rule
            : OciError.Unknown(StoredRule.Called(query.Id));
}
