using System.CommandLine;
using System.Globalization;
using MediatR;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Infrastructure;
using Registry.Web.Admin;

namespace Registry.Web.Commands;

/// <summary><c>registry token</c>: the access tokens of robots and users.</summary>
internal sealed class TokenCommand : Command
{
    private const int MaxDays = 36_500;

    private readonly Argument<string> _id = new("id") { Description = "The token's id." };

    private readonly Option<string?> _robot = new("--robot") { Description = "Of this robot." };

    private readonly Option<string?> _user = new("--user") { Description = "Of this user." };

    private readonly Option<string?> _description = new("--description") { Description = "What it is for." };

    private readonly Option<int?> _days = new("--days")
    {
        Description = "How many days it counts; left out, it has no end.",
    };

    private readonly Option<string?> _registry = new("--registry")
    {
        Description = "Limit it to this registry.",
    };

    private readonly Option<string[]> _repositories = new("--repository")
    {
        Description = "Limit it to repositories of this pattern, such as team/**. May be given several times.",
    };

    private readonly Option<string[]> _actions = new("--action")
    {
        Description = "Limit it to this action: pull, push, overwrite, delete or admin. May be given several times.",
    };

    private readonly Option<int> _overlap = new("--overlap")
    {
        Description = "For how many seconds the secret before still counts (default 0).",
    };

    public TokenCommand()
        : base("token", "Manage the access tokens of robots and users.")
    {
        Add(new AccessCommand(
            "list", "List them: id, owner, end, last use, description.", ListAsync, _robot, _user));
        Add(new AccessCommand(
            "add", "Add one, and write its secret, which is never shown again.", AddAsync, _robot, _user,
            _description, _days, _registry, _repositories, _actions));
        Add(new AccessCommand(
            "rotate", "Give one another secret, and write it.", RotateAsync, _id, _overlap));
        Add(new AccessCommand("revoke", "Take one away, and what was got with it.", RevokeAsync, _id));
    }

    private Task<int> ListAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var (robot, user) = (run.Arguments.GetValue(_robot), run.Arguments.GetValue(_user));
        return run.ListAsync(
            page => Listing(robot, user, page),
            token => token.Id,
            AccessTokenModel.Of,
            token => string.Join(
                '\t', token.Id, OwnerOf(token), Show(token.ExpiresAt), Show(token.LastUsedAt), token.Description),
            cancellationToken);
    }

    private static IRequest<Result<Page<AccessToken>>> Listing(string? robot, string? user, PageRequest page)
        => (robot, user) switch
        {
            (null, null) => new ListTokensQuery(Caller: null, All: true, page),
            (not null, null) => new ListRobotTokensQuery(RobotCommand.Read(robot), page),
            (null, not null) => new ListUserTokensQuery(user, page),
            _ => throw new StartRefusedException("Name --robot or --user, not both."),
        };

    private Task<int> AddAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var draft = new TokenDraft(
            run.Arguments.GetValue(_description) ?? "", ReadScope(run.Arguments), ReadEnd(run.Arguments));
        IRequest<Result<RevealedToken>> request
            = (run.Arguments.GetValue(_robot), run.Arguments.GetValue(_user)) switch
            {
                ({ } robot, null) => new CreateRobotTokenCommand(Caller: null, RobotCommand.Read(robot), draft),
                (null, { } user) => new CreateUserTokenCommand(user, draft),
                _ => throw new StartRefusedException("Name whose token it shall be: --robot or --user."),
            };
        return run.SendAsync(request, RevealedTokenModel.Of, revealed => revealed.Secret, cancellationToken);
    }

    private Task<int> RotateAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new RotateTokenCommand(
                Caller: null, Robot: null, run.Arguments.GetValue(_id) ?? "",
                TimeSpan.FromSeconds(run.Arguments.GetValue(_overlap)), Version: null),
            RevealedTokenModel.Of,
            revealed => revealed.Secret,
            cancellationToken);

    private Task<int> RevokeAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new RevokeTokenCommand(
                Caller: null, Robot: null, run.Arguments.GetValue(_id) ?? "", Version: null),
            AccessTokenModel.Of,
            token => $"{AccessToken.Called(token.Id)} was revoked.",
            cancellationToken);

    // One grant is what a command line can say without becoming a language.
    private AccessRuleSettings[]? ReadScope(ParseResult arguments)
    {
        var registry = arguments.GetValue(_registry);
        var repositories = arguments.GetValue(_repositories) ?? [];
        var actions = arguments.GetValue(_actions) ?? [];
        if (registry is null && repositories.Length == 0 && actions.Length == 0)
            return null;
        return RuleInput.Read(subject: "", registry, repositories, actions, effect: null)
            .Match(grant => new[] { grant }, errors => throw new StartRefusedException(errors[0].Message));
    }

    private DateTimeOffset? ReadEnd(ParseResult arguments)
        => arguments.GetValue(_days) switch
        {
            null => null,
            > 0 and <= MaxDays and { } days => TimeProvider.System.GetUtcNow().AddDays(days),
            _ => throw new StartRefusedException($"--days must be a whole number from 1 to {MaxDays}."),
        };

    private static string OwnerOf(AccessToken token)
        => token.Owner.Robot?.LoginName ?? $"{token.Owner.User!.Name} ({token.Owner.User.Provider})";

    private static string Show(DateTimeOffset? time)
        => time?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never";
}
