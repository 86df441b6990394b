using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Application.Tests.Access;

public sealed class AnonymousAccessPolicyTests
{
    [Theory]
    [InlineData(null, "local", RegistryAction.Pull, RegistryAction.Push, RegistryAction.Delete)]
    [InlineData(null, "anonymous")]
    [InlineData(AnonymousAccess.None, "local")]
    [InlineData(AnonymousAccess.None, "anonymous")]
    [InlineData(AnonymousAccess.Pull, "local")]
    [InlineData(AnonymousAccess.Pull, "anonymous", RegistryAction.Pull)]
    [InlineData(AnonymousAccess.Push, "local")]
    [InlineData(AnonymousAccess.Push, "anonymous", RegistryAction.Pull, RegistryAction.Push, RegistryAction.Delete)]
    [InlineData(null, "alice")]
    [InlineData(AnonymousAccess.Push, "alice")]
    public void What_nobody_has_granted_is_denied(AnonymousAccess? anonymous, string principal, params RegistryAction[] granted)
    {
        var policy = new AnonymousAccessPolicy(new() { Anonymous = anonymous });

        foreach (var action in Enum.GetValues<RegistryAction>())
        {
            Assert.Equal(granted.Contains(action), policy.AllowsAnywhere(new(principal), action));
            Assert.Equal(granted.Contains(action), policy.Allows(new(principal), UseCases.Repository, action));
        }
    }
}
