using System.CommandLine;
using Registry.Application.Access.Rules;
using Registry.Infrastructure;
using Registry.Web.Admin;

namespace Registry.Web.Commands;

/// <summary><c>registry rule</c>: the access rules in the database.</summary>
internal sealed class RuleCommand : Command
{
    private readonly Argument<string> _id = new("id") { Description = "The rule's id." };

    private readonly Argument<string> _subject = new("subject")
    {
        Description = "everyone, user:NAME, group:NAME, robot:NAME or claim:NAME=VALUE.",
    };

    private readonly Option<string?> _registry = new("--registry")
    {
        Description = "The registry it is about; left out, all of them.",
    };

    private readonly Option<string[]> _repositories = new("--repository")
    {
        Description = "A pattern of repositories, such as team/**. May be given several times.",
        Required = true,
    };

    private readonly Option<string[]> _actions = new("--action")
    {
        Description = "pull, push, overwrite, delete or admin. May be given several times.",
        Required = true,
    };

    private readonly Option<bool> _deny = new("--deny") { Description = "Take away instead of giving." };

    public RuleCommand()
        : base("rule", "Manage the access rules in the database.")
    {
        Add(new AccessCommand(
            "list", "List them: id, allow or deny, subject, actions, registry and patterns.", ListAsync));
        Add(new AccessCommand(
            "add", "Add one, and write its id.", AddAsync, _subject, _registry, _repositories, _actions, _deny));
        Add(new AccessCommand("remove", "Remove one.", RemoveAsync, _id));
    }

    private Task<int> ListAsync(AccessRun run, CancellationToken cancellationToken)
        => run.ListAsync(
            page => new ListRulesQuery(page), rule => rule.Id, RuleModel.Of, rule => Line(RuleModel.Of(rule)),
            cancellationToken);

    private Task<int> AddAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var arguments = run.Arguments;
        var settings = RuleInput.Read(
            arguments.GetValue(_subject) ?? "", arguments.GetValue(_registry),
            arguments.GetValue(_repositories) ?? [], arguments.GetValue(_actions) ?? [],
            arguments.GetValue(_deny) ? "deny" : "allow")
            .Match(rule => rule, errors => throw new StartRefusedException(errors[0].Message));
        return run.SendAsync(new CreateRuleCommand(settings), RuleModel.Of, rule => rule.Id, cancellationToken);
    }

    private Task<int> RemoveAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new DeleteRuleCommand(run.Arguments.GetValue(_id) ?? "", Version: null),
            RuleModel.Of,
            rule => $"{StoredRule.Called(rule.Id)} was removed.",
            cancellationToken);

    private static string Line(RuleModel rule)
        => string.Join(
            '\t', rule.Id, rule.Effect, rule.Subject, string.Join(',', rule.Actions),
            $"{rule.Registry ?? "*"}: {string.Join(' ', rule.Repositories)}");
}
