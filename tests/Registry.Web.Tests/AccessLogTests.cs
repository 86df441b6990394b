using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Registry.Application.Catalog;
using Registry.Web.Tests.Errors;

namespace Registry.Web.Tests;

public sealed class AccessLogTests
{
    [Fact]
    public async Task A_request_whose_client_has_left_is_logged_as_such_and_not_as_answered()
    {
        using var log = new RecordedLog();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registry = await RegistryFactory.StartAsync(services =>
        {
            services.AddSingleton<ILoggerProvider>(log);
            services.AddSingleton<ICatalog>(new StandInCatalog(async cancellationToken =>
            {
                if (asked.TrySetResult())
                    await Task.Delay(Timeout.Infinite, cancellationToken);
            }));
        });

        using (var client = new TcpClient(registry.Address.Host, registry.Address.Port))
        {
            await client.GetStream().WriteAsync(
                Encoding.ASCII.GetBytes($"GET /v2/_catalog HTTP/1.1\r\nHost: {registry.Address.Authority}\r\n\r\n"));
            await asked.Task;
        }

        Assert.StartsWith("GET /v2/_catalog 499 ", await log.FirstAsync("/v2/_catalog"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_is_logged_with_path_and_status_and_without_its_query()
    {
        using var log = new RecordedLog();
        await using var registry = await RegistryFactory.StartAsync(services => services.AddSingleton<ILoggerProvider>(log));

        (await registry.Client.GetAsync("/v2/a/tags/list?last=secret")).Expect(404);

        var line = await log.FirstAsync("/v2/a/tags/list");
        Assert.StartsWith("GET /v2/a/tags/list 404 ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
    }
}
