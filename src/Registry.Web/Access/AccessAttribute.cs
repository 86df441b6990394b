using Microsoft.AspNetCore.Authorization;

namespace Registry.Web.Access;

/// <summary>
/// What an action demands of its caller; each action has one. It also keeps the host's own authorization away, which
/// knows nothing of the registry's users: a fallback policy of the application would refuse them all.
/// </summary>
internal abstract class AccessAttribute : Attribute, IAllowAnonymous;
