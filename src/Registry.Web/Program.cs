using System.CommandLine;
using Registry.Web.Commands;

var serve = new ServeCommand();
var root = new RootCommand("A self-hosted registry for container images and other OCI artifacts.")
{
    serve,
    new HealthCommand(),
    new UserCommand(),
    new GroupCommand(),
    new RobotCommand(),
    new TokenCommand(),
    new RuleCommand(),
    ExplainCommand.Create(),
};
foreach (var option in serve.AllOptions)
    root.Options.Add(option);
root.SetAction(serve.RunAsync);

var command = root.Parse(args);
return command.Errors.Count > 0
    ? await ServeCommand.RefuseAsync($"{command.Errors[0].Message.TrimEnd('.')}: --help shows what there is.")
    : await command.InvokeAsync(new() { ProcessTerminationTimeout = null });
