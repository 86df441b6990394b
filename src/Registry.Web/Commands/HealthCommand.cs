using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Registry.Infrastructure;

namespace Registry.Web.Commands;

/// <summary>
/// <c>registry health</c>: asks the server that has the same configuration on this machine whether it is ready. For
/// containers, which have no other program to ask with.
/// </summary>
internal sealed class HealthCommand : Command
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ServerSettings _server = new();

    public HealthCommand()
        : base("health", "Ask the running registry on this machine whether it is ready.")
    {
        foreach (var option in (Option[])[_server.Port, _server.Listen, _server.Config])
            Options.Add(option);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var probe = "";
        try
        {
            var (_, options) = _server.Read(arguments, new Dictionary<string, string?>(StringComparer.Ordinal));
            probe = $"{_server.Listeners(arguments, options)[0].LocalAddress}/healthz/ready";
            using var handler = new SocketsHttpHandler { UseProxy = false };
            // Whoever has the port of this machine is asked, whatever name or age its certificate has: nothing secret
            // is said to it.
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                VerificationFlags = X509VerificationFlags.AllFlags,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            using var http = new HttpClient(handler) { Timeout = Patience };
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(probe));
            request.Headers.Host = "localhost"; // the one name that AllowedHosts must have for this
            using var answer = await http.SendAsync(request, cancellationToken);
            if (answer.IsSuccessStatusCode)
                return 0;
            var said = await answer.Content.ReadAsStringAsync(cancellationToken);
            return await ServeCommand.RefuseAsync(
                $"{probe} says {(int)answer.StatusCode}: {said.ReplaceLineEndings(" ")}");
        }
        catch (StartRefusedException e)
        {
            return await ServeCommand.RefuseAsync(e.Message);
        }
        catch (HttpRequestException e)
        {
            return await ServeCommand.RefuseAsync($"{probe} gives no answer: {e.Message}");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return await ServeCommand.RefuseAsync($"{probe} gives no answer within {Patience.TotalSeconds:0} s.");
        }
    }
}
