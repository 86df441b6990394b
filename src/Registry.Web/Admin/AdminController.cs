using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Web.Access;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Admin;

/// <summary>What the admin API's controllers have in common.</summary>
[ApiExplorerSettings(GroupName = WebServices.ApiDocument)]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
public abstract class AdminController(IMediator mediator, RegistryMap registries) : ControllerBase
{
    /// <summary>Of a JSON document that changes something.</summary>
    protected const long MaxBodyBytes = 64 * 1024;

    protected IMediator Mediator { get; } = mediator;

    protected Principal Caller => RequestPrincipal.Of(HttpContext);

    /// <summary>
    /// The repository that clients of this host call <paramref name="name"/>, if the caller may pull from it; otherwise
    /// the answer, the same for what is unknown and what is hidden.
    /// </summary>
    protected Result<RepositoryAddress> Resolve(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return OciError.ParameterMissing("repository");
        if (!RepositoryName.TryParse(name, out var parsed))
            return OciError.NameInvalid(name);
        var address = registries.Resolve(Request.RequestedHost(), ns: null, parsed);
        return address is not null
            && RepositoryAccess.IsAllowed(HttpContext, address.Identity, RegistryAction.Pull)
            ? address
            : OciError.RepositoryUnknown(parsed);
    }

    protected static Result<PageRequest> ReadPage(string? n, string? last)
        => PageRequest.TryParse(n, last, out var page) ? page : OciError.PageInvalid(n);

    /// <summary>The name of a local user or group.</summary>
    protected static Result<AccountName> ReadAccountName(string? text)
        => AccountName.TryParse(text, out var name) ? name : OciError.AccountNameInvalid(text);

    /// <summary>What names of users and groups are to begin with; empty when none is asked for.</summary>
    protected static Result<string> ReadPrefix(string? text)
        => string.IsNullOrEmpty(text) || AccountName.TryParse(text, out _)
            ? text ?? ""
            : OciError.RequestInvalid($"prefix is '{OciError.Shorten(text)}', with which no name begins.");

    protected static Result<Reference> ReadReference(string? text)
        => string.IsNullOrEmpty(text) ? OciError.ParameterMissing("reference")
            : Reference.TryParse(text, out var reference) ? reference
            : OciError.ManifestUnknown(text);

    /// <summary>A page as the API shows it.</summary>
    protected static PageModel<TModel> ToModel<T, TModel>(Page<T> page, Func<T, TModel> model, Func<T, string> key)
        => new([.. page.Items.Select(model)], page.More ? key(page.Items[^1]) : null);

    protected static IActionResult Problem(IReadOnlyList<OciError> errors) => ProblemResult.From(errors);
}

/// <summary>One page of a list.</summary>
/// <param name="Next">Give it as <c>last</c> to get the page that follows; null on the last page.</param>
public sealed record PageModel<T>(IReadOnlyList<T> Items, string? Next);
