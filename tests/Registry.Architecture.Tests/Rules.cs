using System.Reflection;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Domain.Errors;

namespace Registry.Architecture.Tests;

/// <summary>The rules of the house, each as the list of those that break it.</summary>
internal static class Rules
{
    private static readonly string[] Catchalls = ["Common", "Helpers", "Utils", "Services", "Models", "Interfaces", "Extensions"];

    private static readonly string[] AccessAttributes =
    [
        "RequiresAccessAttribute", "RequiresSignInAttribute", "RequiresAdminAttribute", "RequiresUserAttribute",
        "PublicEndpointAttribute",
    ];

    public static IEnumerable<string> CatchallNames(IEnumerable<string> dottedNames)
        => dottedNames.Where(name => name.Split('.').Intersect(Catchalls, StringComparer.OrdinalIgnoreCase).Any()).Distinct();

    public static IEnumerable<string> NotInternalSealed(IEnumerable<Type> types)
        => types.Where(type => type.IsVisible || !type.IsSealed).Select(type => type.FullName!);

    public static IEnumerable<string> OpenRecords(IEnumerable<Type> types)
        => types.Where(type => IsRecord(type) && !type.IsSealed && !type.IsAbstract).Select(type => type.FullName!);

    public static bool IsRecord(Type type) => type.GetMethod("<Clone>$") is not null;

    public static IEnumerable<string> RequestsWithoutTheirOneHandler(IEnumerable<Type> requests, IReadOnlyCollection<Type> handlers)
        => requests.Select(request => (request, Count: handlers.Count(handler => handler.GetInterfaces().Any(role =>
                role.IsGenericType && role.GetGenericTypeDefinition() == typeof(IRequestHandler<,>) && role.GetGenericArguments()[0] == request))))
            .Where(found => found.Count != 1)
            .Select(found => $"{found.request} has {found.Count} handlers");

    public static IEnumerable<string> RequestsWithoutResult(IEnumerable<Type> requests)
        => requests.SelectMany(request => request.GetInterfaces(), (request, role) => (request, role))
            .Where(pair => pair.role.IsGenericType && pair.role.GetGenericTypeDefinition() == typeof(IRequest<>))
            .Where(pair => pair.role.GetGenericArguments()[0] is not { IsGenericType: true } response
                || response.GetGenericTypeDefinition() != typeof(Result<>))
            .Select(pair => pair.request.FullName!);

    /// <summary>Handlers that hold or are given another handler, or the mediator, which leads to one.</summary>
    public static IEnumerable<string> HandlersThatDependOnHandlers(IEnumerable<Type> handlers)
        => handlers.Where(handler => handler
                .GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
                .SelectMany(constructor => constructor.GetParameters()).Select(parameter => parameter.ParameterType)
                .Any(needed => typeof(IMediator).IsAssignableFrom(needed) || IsHandler(needed)
                    || (needed.IsGenericType && needed.GetGenericTypeDefinition() == typeof(IRequestHandler<,>))))
            .Select(handler => handler.FullName!);

    public static bool IsHandler(Type type) => type.IsClass && !type.IsAbstract && Layers.Implements(type, typeof(IRequestHandler<,>));

    public static bool IsRequest(Type type) => !type.IsInterface && !type.IsAbstract && Layers.Implements(type, typeof(IRequest<>));

    public static bool IsController(Type type) => typeof(ControllerBase).IsAssignableFrom(type) && !type.IsAbstract;

    public static bool IsAsync(MethodInfo method)
    {
        var returned = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericTypeDefinition() : method.ReturnType;
        return returned == typeof(Task) || returned == typeof(Task<>) || returned == typeof(ValueTask) || returned == typeof(ValueTask<>)
            || returned == typeof(IAsyncEnumerable<>);
    }

    public static IEnumerable<string> AsyncMethodsThatDoNotSaySo(IEnumerable<MethodInfo> methods)
        => methods.Where(method => IsAsync(method) && !method.Name.EndsWith("Async", StringComparison.Ordinal)
                && method.Name is not "Handle" && !IsController(method.DeclaringType!) && !Layers.IsForeign(method))
            .Select(Name);

    public static bool TakesCancellation(MethodInfo method)
        => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CancellationToken));

    public static IEnumerable<string> MisplacedCancellation(IEnumerable<MethodInfo> methods)
        => methods.Where(method => TakesCancellation(method) && !Layers.IsForeign(method)
                && (method.GetParameters()[^1] is not { Name: "cancellationToken", IsOptional: false } last
                    || last.ParameterType != typeof(CancellationToken)))
            .Select(Name);

    /// <summary>What MVC calls for a request.</summary>
    public static IEnumerable<MethodInfo> Actions(IEnumerable<Type> controllers)
        => controllers.Where(IsController)
            .SelectMany(controller => controller.GetMethods(BindingFlags.Public | BindingFlags.Instance))
            .Where(method => method is { IsSpecialName: false, DeclaringType: var declaring }
                && declaring != typeof(object) && declaring != typeof(ControllerBase)
                && !method.IsDefined(typeof(NonActionAttribute), inherit: true));

    /// <summary>Actions that neither demand a right nor say that they are for everybody, or that do both.</summary>
    public static IEnumerable<string> ActionsWithoutOneAccessRule(IEnumerable<MethodInfo> actions)
        => actions.Where(action => action.GetCustomAttributes(inherit: true)
                .Concat(action.ReflectedType!.GetCustomAttributes(inherit: true))
                .Count(attribute => AccessAttributes.Contains(attribute.GetType().Name)) != 1)
            .Select(Name);

    private static string Name(MethodInfo method) => $"{method.DeclaringType!.FullName}.{method.Name}";
}
