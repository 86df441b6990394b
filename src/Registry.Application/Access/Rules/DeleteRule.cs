using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

/// <param name="Version">Null for whichever it is.</param>
public sealed record DeleteRuleCommand(string Id, long? Version) : IRequest<Result<StoredRule>>;

internal sealed class DeleteRuleHandler(IAccessRules rules, Administration administration)
    : IRequestHandler<DeleteRuleCommand, Result<StoredRule>>
{
    public async Task<Result<StoredRule>> Handle(DeleteRuleCommand command, CancellationToken cancellationToken)
        => administration.RefuseChange(command.Id, replacement: null) is { } refusal
            ? refusal
            : await rules.RemoveAsync(command.Id, command.Version, cancellationToken);
}
