namespace Registry.Web.Access;

/// <summary>
/// Marks an action that everybody may call, so that leaving the access rule out is a decision and not an oversight.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class PublicEndpointAttribute : AccessAttribute;
