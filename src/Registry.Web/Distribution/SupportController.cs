using Microsoft.AspNetCore.Mvc;
using Registry.Web.Access;

namespace Registry.Web.Distribution;

/// <summary>Says that the API is there (distribution-spec, "Determining Support").</summary>
[DistributionRequest, ApiExplorerSettings(IgnoreApi = true)]
public sealed class SupportController : ControllerBase
{
    [HttpGet("/v2/"), HttpHead("/v2/")] // end-1
    [RequiresSignIn]
    public IActionResult Get() => Content("{}", "application/json");
}
