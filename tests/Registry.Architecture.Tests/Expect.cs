using System.Reflection;

namespace Registry.Architecture.Tests;

internal static class Expect
{
    /// <summary>A rule that looked at nothing proves nothing, unless the layer is still empty.</summary>
    public static void OnceThereAreTypes<T>(Assembly layer, IReadOnlyCollection<T> inspected)
    {
        if (Layers.TypesOf(layer).Any())
            Assert.NotEmpty(inspected);
    }

    /// <summary>Nobody breaks the rule; else all who do are named.</summary>
    public static void Nobody(IEnumerable<string?> breaking)
    {
        var names = breaking.ToArray();
        Assert.True(names.Length == 0, string.Join(Environment.NewLine, names));
    }
}
