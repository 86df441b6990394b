using Microsoft.AspNetCore.Mvc.ModelBinding;
using Registry.Domain.Repositories;

namespace Registry.Web.Distribution;

/// <summary>Gives actions their <see cref="RepositoryAddress"/>.</summary>
internal sealed class RepositoryAddressBinder : IModelBinder, IModelBinderProvider
{
    public IModelBinder? GetBinder(ModelBinderProviderContext context)
        => context.Metadata.ModelType == typeof(RepositoryAddress) ? this : null;

    public Task BindModelAsync(ModelBindingContext bindingContext)
    {
        if (bindingContext.HttpContext.Features.Get<RequestedRepository>()
            ?.Resolve(bindingContext.HttpContext) is { } address)
            bindingContext.Result = ModelBindingResult.Success(address);
        else
            bindingContext.ModelState.TryAddModelError(bindingContext.ModelName, "No repository.");
        return Task.CompletedTask;
    }
}
