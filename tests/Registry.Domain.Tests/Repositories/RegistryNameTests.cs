using Registry.Domain.Repositories;

namespace Registry.Domain.Tests.Repositories;

public sealed class RegistryNameTests
{
    [Theory]
    [InlineData("default")]
    [InlineData("docker-hub")]
    [InlineData("a.b_c")]
    [InlineData("0")]
    public void A_registry_name_is_one_component_of_a_repository_name(string text)
    {
        Assert.True(RegistryName.TryParse(text, out var name));
        Assert.Equal(text, name.ToString());
        Assert.Equal(RegistryName.Parse(text), name);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("/")]
    [InlineData("Default")]
    [InlineData("a b")]
    [InlineData("-a")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    [InlineData("ä")]
    [InlineData("a:b")]
    public void Anything_else_is_no_registry_name(string? text)
    {
        Assert.False(RegistryName.TryParse(text, out _));
        if (text is not null)
            Assert.Throws<FormatException>(() => RegistryName.Parse(text));
    }

    [Fact]
    public void A_registry_name_has_up_to_64_characters()
    {
        Assert.True(RegistryName.TryParse(new string('a', 64), out _));
        Assert.False(RegistryName.TryParse(new string('a', 65), out _));
    }

    [Fact]
    public void No_string_makes_the_parser_throw_and_what_it_takes_stays_as_it_was()
    {
        Texts.ForAny(text => !RegistryName.TryParse(text, out var name) || name.ToString() == text);
        Texts.ForNear(["default", "docker-hub", "a/b"], text => !RegistryName.TryParse(text, out var name) || name.ToString() == text);
    }

    [Fact]
    public void An_identity_is_equal_by_registry_and_name_together()
    {
        var first = new RepositoryIdentity(RegistryName.Default, RepositoryName.Parse("a/b"));
        Assert.Equal(first, new(RegistryName.Parse("default"), RepositoryName.Parse("a/b")));
        Assert.NotEqual(first, new(RegistryName.Parse("a"), RepositoryName.Parse("a/b")));
        Assert.Equal("default:a/b", first.ToString());
    }
}
