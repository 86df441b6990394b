using System.CommandLine;
using Registry.Application.Access.Rules;
using Registry.Application.Registries;
using Registry.Infrastructure;
using Registry.Web.Admin;
using Registry.Web.Requests;

namespace Registry.Web.Commands;

/// <summary><c>registry explain</c>: who may do what, and which rule says so.</summary>
internal static class ExplainCommand
{
    public static AccessCommand Create()
    {
        var repository = new Argument<string>("repository") { Description = "As clients call it." };
        var action = new Argument<string>("action") { Description = "pull, push, overwrite, delete or admin." };
        var user = new Option<string?>("--user") { Description = "A user, in the groups that its provider says now." };
        var robot = new Option<string?>("--robot") { Description = "A robot." };
        var groups = new Option<string[]>("--group")
        {
            Description = "A group to take for given, of the user or of nobody in particular. "
                + "May be given several times.",
        };
        var host = new Option<string?>("--host")
        {
            Description = "The host that clients use, with the port if it is not 443.",
        };
        return new(
            "explain", "Tell whether somebody may do something in a repository, and which rule says so.", RunAsync,
            repository, action, user, robot, groups, host);

        Task<int> RunAsync(AccessRun run, CancellationToken cancellationToken)
        {
            var arguments = run.Arguments;
            RequestedHost? asked = null;
            if (arguments.GetValue(host) is { } named && !HostHeader.TryRead(named, out asked))
            {
                throw new StartRefusedException(
                    $"--host is '{named}', which is no host such as hub.example.com or hub.example.com:5001.");
            }

            var query = ExplainInput.Read(
                arguments.GetValue(user), arguments.GetValue(robot), arguments.GetValue(groups) ?? [],
                asked, arguments.GetValue(repository), arguments.GetValue(action))
                .Match(read => read, errors => throw new StartRefusedException(errors[0].Message));
            return run.SendAsync(
                query,
                explained => ExplanationModel.Of(explained, query.Action),
                explained => Line(explained, query),
                cancellationToken);
        }
    }

    private static string Line(ExplainedAccess explained, ExplainAccessQuery query)
    {
        var (allowed, source, rule) = explained.Decision;
        var what = $"{explained.Principal.Name} {(allowed ? "may" : "may not")} {RuleInput.Show(query.Action)} "
            + $"{explained.Repository}: {source}";
        return rule is null
            ? what
            : $"{what} ({RuleModel.Show(rule)} {rule.Subject} {string.Join(' ', rule.Grant.Repositories)})";
    }
}
