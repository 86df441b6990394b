using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Registry.Web.Tests.Embedding;

/// <summary>Somebody's ASP.NET Core application that has a registry inside.</summary>
public sealed class HostApplication : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private RegistryClient? _client;
    private WebApplication? _application;

    public RegistryClient Client => _client!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(RegistryFactory.Settings(_folder.Path));
        RegistryFactory.Prepare(builder);
        builder.Services.AddControllers().AddApplicationPart(typeof(GreetingController).Assembly);
        builder.Services.AddSwaggerGen(swagger => swagger.SwaggerDoc("host", new() { Title = "The host's API", Version = "v1" }));
        builder.Services.AddRegistry(builder.Configuration);

        _application = builder.Build();
        _application.MapGet("/minimal/{name}", (string name) => $"minimal {name}");
        _application.MapRegistry();
        await _application.StartAsync();
        _client = new(RegistryFactory.AddressOf(_application));
    }

    public async Task DisposeAsync()
    {
        _client?.Dispose();
        await _application!.StopAsync();
        await _application.DisposeAsync();
        _folder.Dispose();
    }
}

public sealed record Greeting([Required, StringLength(20)] string Name, [Range(1, 9)] int Times);

[ApiController]
[Route("hello")]
public sealed class GreetingController : ControllerBase
{
    [HttpGet("{name}")]
    public string Hello(string name) => $"hello {name}";

    [HttpPost("form")]
    public string Form([FromForm] Greeting greeting) => $"{greeting.Name} x{greeting.Times}";

    [HttpPost("json")]
    public string Json(Greeting greeting) => $"{greeting.Name} x{greeting.Times}";

    [HttpPost("file")]
    public string Upload(IFormFile file) => $"{file.FileName}: {file.Length}";

    [HttpGet("failure")]
    public string Failure() => throw new InvalidOperationException("The host's own failure.");
}
