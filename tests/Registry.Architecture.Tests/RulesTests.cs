using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Domain.Errors;

namespace Registry.Architecture.Tests;

/// <summary>Each rule finds the one that breaks it, and leaves the one beside it alone.</summary>
public sealed class RulesTests
{
    [Fact]
    public void Catchall_names_are_found()
        => Assert.Equal(["Registry.Web.Helpers", "Registry.Common.Blobs"],
            Rules.CatchallNames(["Registry.Web.Helpers", "Registry.Domain.Blobs", "Registry.Common.Blobs", "Registry.Web.HelpersOf"]));

    [Fact]
    public void Public_and_open_handlers_are_found()
        => Assert.Equal([typeof(Visible).FullName, typeof(Open).FullName],
            Rules.NotInternalSealed([typeof(Visible), typeof(Open), typeof(Handler)]));

    [Fact]
    public void Open_records_are_found()
        => Assert.Equal([typeof(OpenRecord).FullName], Rules.OpenRecords([typeof(OpenRecord), typeof(Request), typeof(Open)]));

    [Fact]
    public void Requests_without_a_handler_and_with_two_are_found()
    {
        Assert.Single(Rules.RequestsWithoutTheirOneHandler([typeof(Request)], []));
        Assert.Single(Rules.RequestsWithoutTheirOneHandler([typeof(Request)], [typeof(Handler), typeof(Second)]));
        Assert.Empty(Rules.RequestsWithoutTheirOneHandler([typeof(Request)], [typeof(Handler)]));
        Assert.True(Rules.IsRequest(typeof(Request)) && Rules.IsHandler(typeof(Handler)));
    }

    [Fact]
    public void Requests_that_answer_by_something_else_are_found()
        => Assert.Equal([typeof(BareRequest).FullName], Rules.RequestsWithoutResult([typeof(BareRequest), typeof(Request)]));

    [Fact]
    public void Handlers_that_call_handlers_are_found()
        => Assert.Equal([typeof(Second).FullName, typeof(Caller).FullName],
            Rules.HandlersThatDependOnHandlers([typeof(Handler), typeof(Second), typeof(Caller)]));

    [Fact]
    public void Silent_async_methods_are_found()
        => Assert.Equal([$"{typeof(Open).FullName}.{nameof(Open.Save)}"],
            Rules.AsyncMethodsThatDoNotSaySo([.. Layers.MethodsOf(typeof(Open)), .. Layers.MethodsOf(typeof(Handler)), .. Layers.MethodsOf(typeof(Bare))]));

    [Fact]
    public void Misplaced_cancellation_is_found()
        => Assert.Equal(
            [$"{typeof(Open).FullName}.{nameof(Open.FirstAsync)}", $"{typeof(Open).FullName}.{nameof(Open.NamedAsync)}",
                $"{typeof(Open).FullName}.{nameof(Open.OptionalAsync)}"],
            Rules.MisplacedCancellation([.. Layers.MethodsOf(typeof(Open)), .. Layers.MethodsOf(typeof(Behavior<,>))]));

    [Fact]
    public void Actions_without_an_access_rule_and_with_two_are_found()
    {
        var actions = Rules.Actions([typeof(Bare), typeof(Marked), typeof(Inheriting), typeof(Open)]).ToArray();
        Assert.Equal(["Both", "Forgotten", "Guarded", "Inherited", "Open", "Unrouted"], actions.Select(action => action.Name).Order());
        Assert.Equal(
            [$"{typeof(Bare).FullName}.Forgotten", $"{typeof(Bare).FullName}.Unrouted", $"{typeof(Inheriting).FullName}.Both"],
            Rules.ActionsWithoutOneAccessRule(actions));
    }

    public sealed class Visible;

    internal record OpenRecord;

    internal sealed record Derived : OpenRecord;

    internal sealed record Request : IRequest<Result<int>>;

    internal sealed record BareRequest : IRequest<int>;

    internal class Open
    {
        public Task Save() => Task.CompletedTask;

        public Task SaveAsync(int size, CancellationToken cancellationToken) => Task.Delay(size, cancellationToken);

#pragma warning disable CA1068 // it breaks the rule on purpose
        public Task FirstAsync(CancellationToken cancellationToken, int size) => Task.Delay(size, cancellationToken);
#pragma warning restore CA1068

        public Task NamedAsync(CancellationToken token) => Task.Delay(1, token);

        public Task OptionalAsync(CancellationToken cancellationToken = default) => Task.Delay(1, cancellationToken);
    }

    internal sealed class Closed : Open;

    internal sealed class Handler : IRequestHandler<Request, Result<int>>
    {
        public Task<Result<int>> Handle(Request request, CancellationToken cancellationToken) => Task.FromResult<Result<int>>(1);
    }

    internal sealed class Second(Handler first) : IRequestHandler<Request, Result<int>>
    {
        public Task<Result<int>> Handle(Request request, CancellationToken cancellationToken) => first.Handle(request, cancellationToken);
    }

    internal sealed class Caller(IMediator mediator) : IRequestHandler<Request, Result<int>>
    {
        public Task<Result<int>> Handle(Request request, CancellationToken cancellationToken) => mediator.Send(request, cancellationToken);
    }

    // The order of its parameters is MediatR's.
    internal sealed class Behavior<TRequest, TResponse> : IPipelineBehavior<TRequest, TResponse>
        where TRequest : IRequest<TResponse>
    {
        public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) => next();
    }

    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
    internal sealed class RequiresAccessAttribute : Attribute;

    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
    internal sealed class PublicEndpointAttribute : Attribute;

    internal sealed class Bare : ControllerBase
    {
        [HttpGet("/v2/{name}/forgotten")]
        public IActionResult Forgotten() => Ok();

        [HttpGet("/v2/{name}/guarded")]
        [RequiresAccess]
        public Task<IActionResult> Guarded() => Task.FromResult<IActionResult>(Ok());

        [HttpGet("/open"), PublicEndpoint]
        public IActionResult Open() => Ok();

        // A route on the class, or a conventional one, would lead here.
        public IActionResult Unrouted() => Ok();

        [NonAction]
        public IActionResult Answer() => Ok();
    }

    [RequiresAccess]
    internal abstract class Marked : ControllerBase
    {
        [HttpGet("/inherited")]
        public IActionResult Inherited() => Ok();
    }

    internal sealed class Inheriting : Marked
    {
        [HttpGet("/both"), PublicEndpoint]
        public IActionResult Both() => Ok();
    }
}
