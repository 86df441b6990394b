using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Infrastructure;

namespace Registry.Web.Commands;

/// <summary>One run of an <see cref="AccessCommand"/>: its arguments, the use cases, and how it answers.</summary>
/// <param name="services">Of a registry that is composed as the server is, but not started.</param>
/// <param name="json">Whether it answers in JSON, in the same form as the admin API.</param>
internal sealed class AccessRun(IServiceProvider services, ParseResult arguments, bool json)
{
    private const int PageSize = 1000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for people and programs, not for a page
    };

    private readonly IMediator _mediator = services.GetRequiredService<IMediator>();

    public IServiceProvider Services { get; } = services;

    public ParseResult Arguments { get; } = arguments;

    /// <exception cref="StartRefusedException">It is no name.</exception>
    public AccountName Name(Argument<string> argument)
    {
        var text = Arguments.GetValue(argument);
        return AccountName.TryParse(text, out var name)
            ? name
            : throw new StartRefusedException(OciError.AccountNameInvalid(text).Message);
    }

    /// <summary>Sends a request, and writes what came of it.</summary>
    /// <param name="model">What is written as JSON.</param>
    /// <param name="line">What is written for people.</param>
    public async Task<int> SendAsync<T>(
        IRequest<Result<T>> request, Func<T, object> model, Func<T, string> line, CancellationToken cancellationToken)
    {
        var result = await _mediator.Send(request, cancellationToken);
        if (!result.TryGet(out var value, out var errors))
            return await ServeCommand.RefuseAsync(errors[0].Message);
        await WriteAsync(json ? JsonSerializer.Serialize(model(value), Json) : line(value));
        return 0;
    }

    /// <summary>Writes a whole list: an array in JSON, or a line for each entry.</summary>
    /// <param name="request">Asks for one page.</param>
    /// <param name="key">What the page behind an entry is asked for with.</param>
    public async Task<int> ListAsync<T>(
        Func<PageRequest, IRequest<Result<Page<T>>>> request, Func<T, string> key, Func<T, object> model,
        Func<T, string> line, CancellationToken cancellationToken)
    {
        var models = new List<object>();
        string? last = null;
        do
        {
            var listed = await _mediator.Send(request(new(PageSize, last)), cancellationToken);
            if (!listed.TryGet(out var page, out var errors))
                return await ServeCommand.RefuseAsync(errors[0].Message);
            foreach (var item in page.Items)
            {
                if (json)
                    models.Add(model(item));
                else
                    await WriteAsync(line(item));
            }

            last = page.More ? key(page.Items[^1]) : null;
        }
        while (last is not null);
        if (json)
            await WriteAsync(JsonSerializer.Serialize(models, Json));
        return 0;
    }

    private static Task WriteAsync(string text) => Console.Out.WriteLineAsync(text);
}
