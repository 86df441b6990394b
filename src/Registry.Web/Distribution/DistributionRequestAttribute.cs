using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Distribution;

/// <summary>
/// What is special about requests of the distribution API: bodies are never forms, and a parameter that cannot be read
/// is answered with the spec's code for it.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class DistributionRequestAttribute : Attribute, IResourceFilter, IActionFilter
{
    public void OnResourceExecuting(ResourceExecutingContext context)
    {
        if (context.HttpContext.Features.Get<RequestedRepository>() is { } repository)
        {
            context.HttpContext.Request.Path = repository.FullPath;
            if (repository.Namespace(context.HttpContext) is { } ns)
                context.HttpContext.Response.Headers["OCI-Namespace"] = ns;
        }
        else if (context.ActionDescriptor.Parameters.Any(
            parameter => parameter.ParameterType == typeof(RepositoryAddress)))
            // routing ignores case, the spec's paths do not
            context.Result = OciErrorResult.From(OciError.NothingHere());

        // The server undoes "chunked" alone: a body in another coding would be stored as something it is not.
        var coding = context.HttpContext.Request.Headers.TransferEncoding.ToString();
        if (coding.Length > 0 && !coding.Equals("chunked", StringComparison.OrdinalIgnoreCase))
        {
            context.Result = OciErrorResult.From(
                OciError.RequestInvalid("Of the transfer codings, only chunked is supported."));
            return;
        }

        // curl --data-binary claims to send a form, and a value provider for forms would read the blob away.
        UnreadFormAttribute.Leave(context);
    }

    public void OnResourceExecuted(ResourceExecutedContext context)
    {
    }

    public void OnActionExecuting(ActionExecutingContext context)
    {
        if (context.ModelState.IsValid)
            return;

        foreach (var parameter in context.ActionDescriptor.Parameters.OfType<ControllerParameterDescriptor>())
        {
            if (context.ModelState.GetFieldValidationState(parameter.Name) == ModelValidationState.Invalid)
            {
                context.Result = OciErrorResult.From(Explain(parameter.ParameterType, parameter.Name, context));
                return;
            }
        }

        context.Result = OciErrorResult.From(OciError.RequestInvalid("The request cannot be read."));
    }

    public void OnActionExecuted(ActionExecutedContext context)
    {
    }

    private static OciError Explain(Type type, string name, ActionExecutingContext context)
    {
        var text = context.ModelState[name]?.AttemptedValue;
        if (type == typeof(RepositoryAddress))
        {
            var asked = context.HttpContext.Features.Get<RequestedRepository>();
            return !RepositoryName.TryParse(asked?.Text, out var repository) ? OciError.NameInvalid(asked?.Text)
                : asked?.UnknownNamespace(context.HttpContext) is { } ns ? OciError.NamespaceUnknown(ns)
                : OciError.RepositoryUnknown(repository);
        }

        if (type == typeof(Digest))
            return OciError.DigestInvalid(text);
        if (type == typeof(UploadId))
            return OciError.UploadUnknown(text);
        if (type == typeof(Reference))
        {
            return text?.Contains(':', StringComparison.Ordinal) == true ? OciError.DigestInvalid(text)
                : HttpMethods.IsPut(context.HttpContext.Request.Method) ? OciError.TagInvalid(text)
                : OciError.ManifestUnknown(text);
        }

        return OciError.RequestInvalid($"The parameter '{name}' cannot be read.");
    }
}
