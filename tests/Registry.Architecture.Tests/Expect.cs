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
}
