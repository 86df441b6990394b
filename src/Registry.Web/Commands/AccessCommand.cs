using System.CommandLine;
using Registry.Domain.Errors;
using Registry.Infrastructure;
using Registry.Infrastructure.Startup;

namespace Registry.Web.Commands;

/// <summary>
/// A command about who may do what. It works on the database of the configured server, which may be running: that one
/// counts the change within five seconds.
/// </summary>
internal sealed class AccessCommand : Command
{
    private readonly ServerSettings _server = new();

    private readonly Option<string?> _data = new("--data")
    {
        Description = "The server's data folder (default ./data).",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Write JSON." };

    /// <param name="run">Does it, and gives the exit code.</param>
    /// <param name="inputs">Its arguments and options besides those that all such commands have.</param>
    public AccessCommand(
        string name, string description, Func<AccessRun, CancellationToken, Task<int>> run, params Symbol[] inputs)
        : base(name, description)
    {
        foreach (var input in inputs)
        {
            if (input is Argument argument)
                Arguments.Add(argument);
            else
                Options.Add((Option)input);
        }

        foreach (var option in (Option[])[_server.Config, _data, _json])
            Options.Add(option);
        SetAction((arguments, cancellationToken) => RunAsync(arguments, run, cancellationToken));
    }

    private async Task<int> RunAsync(
        ParseResult arguments, Func<AccessRun, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
            if (arguments.GetValue(_data) is { } data)
                settings["Registry:Data"] = data;
            var (builder, options) = _server.Read(arguments, settings);
            builder.Logging.ClearProviders();
            builder.Services.AddRegistry(options);
            await using var app = builder.Build(); // never started: it is no server
            await CommandStart.OpenAsync(app.Services, cancellationToken);
            return await run(new(app.Services, arguments, arguments.GetValue(_json)), cancellationToken);
        }
        catch (StartRefusedException e)
        {
            return await ServeCommand.RefuseAsync(e.Message);
        }
        catch (StorageException e)
        {
            return await ServeCommand.RefuseAsync(
                $"{e.Error.Message.TrimEnd('.')}: {e.GetBaseException().Message.ReplaceLineEndings(" ")}");
        }
    }
}
