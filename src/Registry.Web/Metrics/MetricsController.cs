using System.Net;
using Microsoft.AspNetCore.Mvc;
using Registry.Domain.Errors;
using Registry.Infrastructure.Metrics;
using Registry.Web.Access;
using Registry.Web.Configuration;
using Registry.Web.Errors;

namespace Registry.Web.Metrics;

/// <summary>Measurements for Prometheus, for the networks of <see cref="MetricsOptions.AllowedNetworks"/>.</summary>
[ApiExplorerSettings(IgnoreApi = true)]
public sealed class MetricsController(RegistryMetrics metrics, RegistryOptions options) : ControllerBase
{
    [HttpGet("/metrics"), HttpHead("/metrics"), PublicEndpoint] // judged by address below
    public async Task<IActionResult> Get()
    {
        // A proxy's address is not the reader's.
        if (LocalRequest.IsForwarded(Request) || !IsAllowed(HttpContext.Connection.RemoteIpAddress))
            return OciErrorResult.From(
                OciError.Denied("Metrics are for the networks of Registry:Metrics:AllowedNetworks."));
        return Content(await metrics.ScrapeAsync(), "text/plain; version=0.0.4; charset=utf-8");
    }

    private bool IsAllowed(IPAddress? address)
    {
        if (address is null)
            return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return options.Metrics.AllowedNetworks.Any(network => IPNetwork.Parse(network).Contains(plain));
    }
}
