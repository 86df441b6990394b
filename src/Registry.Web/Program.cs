using System.CommandLine;
using Registry.Web.Commands;

var serve = new ServeCommand();
var root = new RootCommand("A self-hosted registry for container images and other OCI artifacts.") { serve };
foreach (var option in serve.AllOptions)
    root.Options.Add(option);
root.SetAction(serve.RunAsync);
return await root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = null });
