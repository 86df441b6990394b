using System.Text;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Registry.Web.Tests.Limits;

/// <summary>Bodies that are read into memory have a bound. S-19</summary>
public sealed class BodyLimitsTests
{
    private const string Form = "application/x-www-form-urlencoded";

    [Theory]
    [InlineData(1_000_000, 200)]
    [InlineData(1_100_000, 413)]
    public async Task A_request_of_the_admin_api_has_a_mebibyte(int bytes, int status)
    {
        await using var registry = await StartAsync();
        var body = Encoding.ASCII.GetBytes($"{{\"text\":\"{new string('x', bytes - 20)}\"}}");

        foreach (var chunked in new[] { false, true })
        {
            var answer = await registry.Client.PostAsync(
                "/api/v1/test/echo", body,
                [("Content-Type", "application/json"), .. chunked ? [("Transfer-Encoding", "chunked")] : Array.Empty<(string, string)>()]);
            answer.Expect(status);
            if (status == 413)
                Assert.StartsWith("application/problem+json", answer.Header("Content-Type"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task JSON_of_the_admin_api_is_32_levels_deep_at_most()
    {
        await using var registry = await StartAsync();
        var deep = Encoding.ASCII.GetBytes(
            $"{{\"any\":{string.Concat(Enumerable.Repeat("[", 40))}{string.Concat(Enumerable.Repeat("]", 40))}}}");
        (await registry.Client.PostAsync("/api/v1/test/echo", deep, ("Content-Type", "application/json"))).Expect(400);
    }

    [Theory]
    [InlineData(8_000, 400)] // a wrong password's, but read
    [InlineData(8_200, 413)]
    public async Task A_form_for_a_token_has_8_KiB(int bytes, int status)
    {
        await using var registry = await RegistryFactory.StartAsync();
        var form = Encoding.ASCII.GetBytes($"grant_type=none&service={new string('x', bytes - 24)}");
        (await registry.Client.PostAsync("/token", form, ("Content-Type", Form))).Expect(status);
        (await registry.Client.PostAsync("/token", form, ("Content-Type", Form), ("Transfer-Encoding", "chunked"))).Expect(status);
    }

    [Fact]
    public async Task A_token_is_asked_for_with_100_scopes_at_most() // S-18
    {
        await using var registry = await RegistryFactory.StartAsync();
        // Each counts, however it is written: together, or one parameter each.
        var few = string.Join('&', Enumerable.Range(0, 100).Select(i => $"scope=repository:a{i % 10}:pull"));
        var many = string.Join('&', Enumerable.Range(0, 101).Select(i => $"scope=repository:a{i % 10}:pull"));
        (await registry.Client.GetAsync($"/token?{few}")).Expect(200);
        (await registry.Client.GetAsync($"/token?{many}")).Expect(400);
    }

    private static Task<RegistryFactory> StartAsync()
        => RegistryFactory.StartAsync(
            services => services.AddControllers().AddApplicationPart(typeof(EchoController).Assembly),
            ("Access:Anonymous", "Push"));
}

/// <summary>Takes a body as the actions of the admin API do.</summary>
[ApiExplorerSettings(IgnoreApi = true)]
public sealed class EchoController : ControllerBase
{
    [HttpPost("/api/v1/test/echo")]
    public IActionResult Echo([FromBody] EchoModel body)
        => ModelState.IsValid && body is not null ? Ok(body.Text?.Length) : BadRequest();
}

public sealed record EchoModel(string? Text, object? Any);
