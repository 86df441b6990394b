using FsCheck;
using FsCheck.Fluent;
using Registry.Application.Access;

namespace Registry.Application.Tests.Access;

public sealed class WorkloadNameTests
{
    [Theory]
    [InlineData("{sub}", "a", "b", "a")]
    [InlineData("x/{sub}/y", "a", "b", "x/a/y")]
    [InlineData("{sub}/{ref}", "a", "b", "a/b")]
    [InlineData("{sub}/{ref}", "a", "b/c", "a/b/c")]
    [InlineData("{sub}/{ref}", "a/b", "c", null)]
    [InlineData("{sub}/{ref}", "", "c", null)]
    [InlineData("{sub}/{none}", "a", "c", null)]
    public void Claims_are_put_in(string template, string sub, string reference, string? name)
    {
        WorkloadName.Parse(template).TryFill(
            claim => claim == "sub" ? sub : claim == "ref" ? reference : null, out var filled);
        Assert.Equal(name, filled);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ci")]
    [InlineData("{}")]
    [InlineData("{sub")]
    [InlineData("sub}")]
    [InlineData("}{sub}")]
    [InlineData("{sub}}")]
    [InlineData("{{sub}}")]
    [InlineData("{a}{b}")]
    public void Anything_else_is_no_template(string template)
        => Assert.Throws<FormatException>(() => WorkloadName.Parse(template));

    [Fact]
    public void Two_sets_of_claims_never_make_one_name()
    {
        var text = Gen.Choose(1, 4).SelectMany(size => Gen.Elements('a', '/', ':').ArrayOf(size)).Select(word => new string(word));
        var pair = text.SelectMany(first => text.SelectMany(second => text.SelectMany(third => text.Select(fourth => (first, second, third, fourth)))));
        var template = WorkloadName.Parse("{a}/{b}");
        string? Fill(string a, string b) => template.TryFill(claim => claim == "a" ? a : b, out var name) ? name : null;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(pair.ToArbitrary(), four =>
        {
            var (one, other) = (Fill(four.first, four.second), Fill(four.third, four.fourth));
            return one is null || one != other || (four.first, four.second) == (four.third, four.fourth);
        }));
    }
}
