using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Ldap;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.Access;

/// <summary>What the tests of the LDAP provider share.</summary>
internal static class OpenLdap
{
    public static LdapSettings Settings(OpenLdapProcess server, Action<LdapSettings>? change = null)
    {
        var settings = new LdapSettings
        {
            BindDn = OpenLdapProcess.ReaderDn,
            BindPassword = OpenLdapProcess.ReaderPassword,
            BaseDn = OpenLdapProcess.People,
            GroupBaseDn = OpenLdapProcess.Groups,
            NestedGroups = true,
            Timeout = TimeSpan.FromSeconds(2),
        };
        settings.Urls.Add(server.Url);
        change?.Invoke(settings);
        return settings;
    }

    /// <summary>Null when the user is not there or the password wrong; anything else is an error.</summary>
    public static async Task<Principal?> VerifyAsync(LdapProvider provider, string user, string password)
        => (await provider.VerifyAsync(user, password, CancellationToken.None)).Match(
            principal => principal,
            errors => errors[0].Reason is ErrorReason.Unauthenticated
                ? null
                : throw new InvalidOperationException(errors[0].Message));

    /// <summary>Whether all that can be told is that nothing can be found out.</summary>
    public static async Task<bool> IsUnavailableAsync(LdapProvider provider, string user, string password)
        => (await provider.VerifyAsync(user, password, CancellationToken.None)).Match(
            _ => false, errors => errors[0].Reason is ErrorReason.Unavailable);
}
