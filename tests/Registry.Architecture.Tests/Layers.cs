using System.Reflection;
using System.Runtime.CompilerServices;

namespace Registry.Architecture.Tests;

/// <summary>The four layers as assemblies, and what in them was written by hand.</summary>
internal static class Layers
{
    public static readonly Assembly Domain = Assembly.Load("Registry.Domain");
    public static readonly Assembly Application = Assembly.Load("Registry.Application");
    public static readonly Assembly Infrastructure = Assembly.Load("Registry.Infrastructure");
    public static readonly Assembly Web = Assembly.Load("Registry.Web");

    public static readonly Assembly[] All = [Domain, Application, Infrastructure, Web];

    private const BindingFlags Declared
        = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IEnumerable<Type> AllTypes => All.SelectMany(TypesOf);

    /// <summary>The types of a layer that somebody wrote, nested ones included.</summary>
    public static IEnumerable<Type> TypesOf(Assembly layer) => layer.GetTypes().Where(IsHandWritten);

    /// <summary>The methods that somebody wrote in a type: no accessors, no lambdas, no members a record brings along.</summary>
    public static IEnumerable<MethodInfo> MethodsOf(Type type) => typeof(Delegate).IsAssignableFrom(type)
        ? []
        : type.GetMethods(Declared).Where(method =>
            !method.IsSpecialName && !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !method.Name.Contains('<', StringComparison.Ordinal));

    /// <summary>True for methods whose signature somebody else laid down: overrides and interface methods from outside the layers.</summary>
    public static bool IsForeign(MethodInfo method)
    {
        if (!IsOurs(method.GetBaseDefinition().DeclaringType!))
            return true;
        var type = method.DeclaringType!;
        return !type.IsInterface && type.GetInterfaces().Where(role => !IsOurs(role))
            .Any(role => type.GetInterfaceMap(role).TargetMethods.Contains(method));
    }

    public static bool Implements(Type type, Type openInterface)
        => type.GetInterfaces().Any(role => role.IsGenericType && role.GetGenericTypeDefinition() == openInterface);

    /// <summary>The type that stands in the source: of a lambda's or an async method's class, the one around it.</summary>
    public static Type Written(Type type)
    {
        while (type.DeclaringType is { } around)
            type = around;
        return type;
    }

    private static bool IsOurs(Type type) => type.Assembly == typeof(Layers).Assembly || All.Contains(type.Assembly);

    private static bool IsHandWritten(Type type)
        => type.Namespace?.StartsWith("Registry.", StringComparison.Ordinal) == true
            && !type.IsDefined(typeof(CompilerGeneratedAttribute)) && !type.FullName!.Contains('<', StringComparison.Ordinal);
}
