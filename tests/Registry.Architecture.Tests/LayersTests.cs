using System.Reflection;
using System.Xml.Linq;

namespace Registry.Architecture.Tests;

public sealed class LayersTests
{
    [Theory]
    [InlineData("Registry.Domain", "")]
    [InlineData("Registry.Application", "Registry.Domain")]
    [InlineData("Registry.Infrastructure", "Registry.Application")]
    [InlineData("Registry.Web", "Registry.Infrastructure")]
    public void Each_project_refers_to_the_layer_below_alone(string project, string below)
        => Assert.Equal(below, string.Join(' ', References(project, "ProjectReference").Select(Path.GetFileNameWithoutExtension)));

    [Fact]
    public void The_domain_needs_no_package_and_nothing_but_the_runtime()
    {
        Assert.Empty(References("Registry.Domain", "PackageReference"));
        Assert.Empty(References("Registry.Domain", "FrameworkReference"));
        var used = Layers.Domain.GetReferencedAssemblies();
        Assert.NotEmpty(used);
        Assert.All(used, name => Assert.StartsWith("System.", name.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void The_application_knows_the_domain_but_no_web_server_and_no_database()
    {
        var used = Names(Layers.Application);
        Assert.Contains("Registry.Domain", used);
        Assert.DoesNotContain(used, name => name.StartsWith("Registry.", StringComparison.Ordinal) && name != "Registry.Domain");
        Assert.DoesNotContain(used, name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.Net.Http", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.Data", StringComparison.Ordinal)
            || name.StartsWith("System.Data", StringComparison.Ordinal)
            || name.Contains("Sqlite", StringComparison.OrdinalIgnoreCase)
            || name is "Dapper" or "Npgsql");
    }

    [Fact]
    public void The_infrastructure_does_not_know_the_web() => Assert.DoesNotContain("Registry.Web", Names(Layers.Infrastructure));

    [Fact]
    public void Only_what_composes_the_server_names_the_infrastructure()
    {
        var naming = Layers.Web.GetTypes()
            .Where(type => UsedTypes.Of(type).Any(used => used.Assembly == Layers.Infrastructure))
            .Select(Layers.Written)
            .Distinct()
            .ToArray();
        Expect.OnceThereAreTypes(Layers.Web, naming);
        Expect.Nobody(naming.Where(type => !Composes(type)).Select(type => type.FullName));
    }

    [Fact]
    public void The_types_that_code_names_are_seen()
    {
        var used = UsedTypes.Of(typeof(Sample)).ToArray();
        Assert.Contains(typeof(XDocument), used); // a call in a body
        Assert.Contains(typeof(Version), used); // a type argument in a signature
        Assert.Contains(typeof(UriBuilder), used); // a constructor in a body
        Assert.DoesNotContain(typeof(Random), used);
    }

    // Program and WebServices; the commands, which start and prepare what is composed; the configuration, whose sections are
    // the options of adapters; and the measurements, which are collected and written out in one place.
    private static bool Composes(Type type)
        => type.Namespace is null or "Registry.Web" or "Registry.Web.Commands" or "Registry.Web.Configuration" or "Registry.Web.Metrics";

    private static string[] Names(Assembly layer) => [.. layer.GetReferencedAssemblies().Select(name => name.Name!)];

    private static string[] References(string project, string kind)
        => [.. XDocument.Load(Solution.ProjectFile(project)).Descendants(kind).Select(item => item.Attribute("Include")!.Value)];

    private sealed class Sample
    {
        public static List<Version>? Read(string path)
        {
            var size = path.Length > 1_000 ? 0L : 5_000_000_000L;
            return size > 0 && XDocument.Load(path).Root is null && new UriBuilder(path).Port == 1 ? [] : null;
        }
    }
}
