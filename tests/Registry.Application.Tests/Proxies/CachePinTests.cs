using Registry.Application.Proxies;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Proxies;

public sealed class CachePinTests
{
    [Theory]
    [InlineData("library/alpine", "library/alpine", "", true)] // all of it, with a tag or without
    [InlineData("library/alpine", "library/alpine", "3 latest", true)]
    [InlineData("library/alpine", "library/alpine-more", "3", false)]
    [InlineData("library/*", "library/alpine", "", true)]
    [InlineData("**", "a/b/c", "", true)]
    [InlineData("library/alpine:3", "library/alpine", "latest 3", true)]
    [InlineData("library/alpine:3", "library/alpine", "3.1", false)]
    [InlineData("library/alpine:3", "library/alpine", "", false)]
    [InlineData("library/alpine:3", "library/busybox", "3", false)]
    [InlineData("**:3.*", "library/alpine", "3.19", true)]
    [InlineData("**:3.*", "library/alpine", "3", false)]
    [InlineData("**:*-slim", "library/alpine", "latest 3-slim", true)]
    [InlineData("**:*", "library/alpine", "x", true)]
    [InlineData("**:*", "library/alpine", "", false)]
    [InlineData("**:V1", "library/alpine", "v1", false)]
    public void A_pin_holds(string text, string repository, string tags, bool holds)
    {
        Assert.True(CachePin.TryParse(text, out var pin));
        Assert.Equal(
            holds, pin.Holds(RepositoryName.Parse(repository), tags.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":v1")]
    [InlineData("app:")]
    [InlineData("app:v1:v2")]
    [InlineData("App")]
    [InlineData("app//more")]
    [InlineData("app:v?")]
    [InlineData("app:v1/2")]
    [InlineData("app@sha256:0123")]
    public void Anything_else_is_none(string? text) => Assert.False(CachePin.TryParse(text, out _));
}
