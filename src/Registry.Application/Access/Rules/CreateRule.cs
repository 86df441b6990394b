using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

public sealed record CreateRuleCommand(AccessRuleSettings Settings) : IRequest<Result<StoredRule>>;

internal sealed class CreateRuleHandler(IAccessRules rules, RuleReader reader, Administration administration)
    : IRequestHandler<CreateRuleCommand, Result<StoredRule>>
{
    public async Task<Result<StoredRule>> Handle(CreateRuleCommand command, CancellationToken cancellationToken)
    {
        if (!reader.Read(command.Settings).TryGet(out var rule, out var errors))
            return Result<StoredRule>.Refused(errors);
        return administration.RefuseAddition(rule) is { } refusal
            ? refusal
            : await rules.AddAsync(rule, cancellationToken);
    }
}
