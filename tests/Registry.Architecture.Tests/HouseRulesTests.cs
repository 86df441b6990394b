using System.Reflection;
using Registry.Application.Stores;
using Registry.Domain.Blobs;

namespace Registry.Architecture.Tests;

public sealed class HouseRulesTests
{
    private static readonly Type[] Handlers = [.. Layers.AllTypes.Where(Rules.IsHandler)];
    private static readonly Type[] Requests = [.. Layers.AllTypes.Where(Rules.IsRequest)];
    private static readonly MethodInfo[] Methods = [.. Layers.AllTypes.SelectMany(Layers.MethodsOf)];

    // Classes that do what a port asks for.
    private static readonly Type[] Adapters
        = [.. Layers.TypesOf(Layers.Infrastructure).Where(type => type is { IsClass: true, IsAbstract: false }
            && type.GetInterfaces().Any(role => role.Assembly == typeof(IBlobStore).Assembly))];

    [Fact]
    public void No_folder_or_namespace_is_a_catchall()
    {
        var folders = Directory.EnumerateDirectories(Solution.Folder("src"), "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Solution.Folder("src"), path).Replace(Path.DirectorySeparatorChar, '.'))
            .Where(name => !name.Split('.').Intersect(["bin", "obj", "wwwroot"]).Any())
            .ToArray();
        var names = folders.Concat(Layers.AllTypes.Select(type => type.Namespace!)).ToArray();

        Assert.Contains("Registry.Domain.Blobs", names);
        Expect.Nobody(Rules.CatchallNames(names));
    }

    [Fact]
    public void No_source_line_is_longer_than_120_columns()
    {
        var root = Solution.Folder("src");
        var files = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path))
            .Where(name => !name.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj"]).Any())
            .ToArray();

        Assert.NotEmpty(files);
        Expect.Nobody(files.SelectMany(name => File.ReadLines(Path.Combine(root, name))
            .Select((line, index) => (line.Length, Place: $"src/{name.Replace('\\', '/')}:{index + 1}"))
            .Where(line => line.Length > 120)
            .Select(line => line.Place)));
    }

    [Fact]
    public void Every_request_has_one_handler()
    {
        Assert.NotEmpty(Requests);
        Expect.Nobody(Rules.RequestsWithoutTheirOneHandler(Requests, Handlers));
    }

    [Fact]
    public void Every_request_is_answered_by_a_result() => Expect.Nobody(Rules.RequestsWithoutResult(Requests));

    [Fact]
    public void Handlers_live_in_the_application_and_are_internal_and_sealed()
    {
        Assert.NotEmpty(Handlers);
        Assert.All(Handlers, handler => Assert.Equal(Layers.Application, handler.Assembly));
        Expect.Nobody(Rules.NotInternalSealed(Handlers));
    }

    [Fact]
    public void Adapters_are_internal_and_sealed()
    {
        Expect.OnceThereAreTypes(Layers.Infrastructure, Adapters);
        Expect.Nobody(Rules.NotInternalSealed(Adapters));
    }

    [Fact]
    public void No_handler_depends_on_another()
        => Expect.Nobody(Rules.HandlersThatDependOnHandlers(Handlers));

    [Fact]
    public void Async_methods_say_so()
    {
        Assert.Contains(Methods, Rules.IsAsync);
        Expect.Nobody(Rules.AsyncMethodsThatDoNotSaySo(Methods));
    }

    [Fact]
    public void A_cancellation_token_comes_last_is_required_and_has_one_name()
    {
        Assert.Contains(Methods, Rules.TakesCancellation);
        Expect.Nobody(Rules.MisplacedCancellation(Methods));
    }

    [Fact]
    public void Records_of_the_domain_are_sealed_or_abstract()
    {
        var records = Layers.TypesOf(Layers.Domain).Where(Rules.IsRecord).ToArray();
        Assert.Contains(typeof(Digest), records);
        Expect.Nobody(Rules.OpenRecords(records));
    }

    [Fact]
    public void Every_action_either_demands_a_right_or_says_that_it_is_for_everybody()
    {
        var actions = Rules.Actions(Layers.TypesOf(Layers.Web)).ToArray();
        Expect.OnceThereAreTypes(Layers.Web, actions);
        Expect.Nobody(Rules.ActionsWithoutOneAccessRule(actions));
    }
}
