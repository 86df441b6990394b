using System.CommandLine;
using Registry.Bench.Commands;

return await new RootCommand("Measures the registry, side by side with others.")
{
    new CompareCommand(),
    new GrowthCommand(),
    new GuardCommand(),
    new SdkCommand(),
    new AccessCommand(),
    new ProxyCommand(),
}.Parse(args).InvokeAsync();
