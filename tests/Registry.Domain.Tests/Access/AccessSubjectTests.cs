using Registry.Domain.Access;

namespace Registry.Domain.Tests.Access;

public sealed class AccessSubjectTests
{
    [Theory]
    [InlineData("everyone")]
    [InlineData("user:alice")]
    [InlineData("user:alice@example.com")]
    [InlineData("group:dev")]
    [InlineData("group:cn=dev,ou=groups")]
    [InlineData("user:everyone")]
    [InlineData("robot:ci")]
    [InlineData("claim:repository=octo-org/app")]
    [InlineData("workload:github/repo:octo-org/app:ref:refs/heads/main")]
    public void A_subject_is_written_as_it_was_read(string text)
    {
        Assert.True(AccessSubject.TryParse(text, out var subject));
        Assert.Equal(text, subject.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("Everyone")]
    [InlineData("alice")]
    [InlineData("user:")]
    [InlineData("User:alice")]
    [InlineData("robot:")]
    [InlineData("claim:a")]
    [InlineData("claim:=a")]
    [InlineData("workload:github")]
    [InlineData("workload:/a")]
    [InlineData("workload:github/")]
    [InlineData("user:a\nb")]
    [InlineData("everyone ")]
    public void Anything_else_is_no_subject(string? text) => Assert.False(AccessSubject.TryParse(text, out _));

    [Fact]
    public void No_user_can_be_taken_for_somebody_without_credentials()
    {
        Assert.NotEqual(Principal.Anonymous, Principal.User("anonymous"));
        Assert.NotEqual(Principal.Local, Principal.User("local"));
        Assert.DoesNotContain(AccessSubject.Everyone, Principal.User("everyone").Subjects);
        Assert.DoesNotContain(AccessSubject.Group("dev"), Principal.User("group:dev").Subjects);
        Assert.NotEqual(AccessSubject.User("a/b"), AccessSubject.Workload("a", "b"));
        Assert.NotEqual(Principal.Anonymous.Name, Principal.User("anonymous").Name);
    }

    [Fact]
    public void Any_text_is_read_or_refused()
        => Texts.ForAny(text => !AccessSubject.TryParse(text, out var subject) || subject.Text == text);
}
