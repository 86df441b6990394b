using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

/// <param name="Version">Null for whichever it is.</param>
public sealed record ReplaceRuleCommand(string Id, AccessRuleSettings Settings, long? Version)
    : IRequest<Result<StoredRule>>;

internal sealed class ReplaceRuleHandler(IAccessRules rules, RuleReader reader, Administration administration)
    : IRequestHandler<ReplaceRuleCommand, Result<StoredRule>>
{
    public async Task<Result<StoredRule>> Handle(ReplaceRuleCommand command, CancellationToken cancellationToken)
    {
        if (!reader.Read(command.Settings).TryGet(out var rule, out var errors))
            return Result<StoredRule>.Refused(errors);
        return administration.RefuseChange(command.Id, rule) is { } refusal
            ? refusal
            : await rules.ReplaceAsync(command.Id, rule, command.Version, cancellationToken);
    }
}
