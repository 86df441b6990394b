using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Sessions;

/// <summary>Whose sessions a caller may see and end: its own, and with the right to administer everybody's.</summary>
internal static class SessionOwner
{
    /// <param name="of">Null for the caller itself.</param>
    public static Result<string> Of(Principal caller, AccessSubject? of, IAccessPolicy access)
    {
        if (caller.Scope is not null)
            return OciError.Denied("This credential is limited: sign in with an unlimited one.");
        var name = of?.Text ?? caller.Name;
        return name == caller.Name || access.AllowsEverywhere(caller, RegistryAction.Admin)
            ? name
            : OciError.ActionDenied(RegistryAction.Admin);
    }
}
