using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Pipeline;

/// <summary>A request that brings something new into a repository.</summary>
internal interface IPush
{
    RepositoryIdentity Repository { get; }
}

/// <summary>Refuses what is pushed to a registry that only shows what others hold.</summary>
internal sealed class PushBehavior<TRequest, TResponse>(RegistryMap registries) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>, IPush
    where TResponse : IRefusable<TResponse>
{
    public Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var registry = request.Repository.Registry;
        return registries.KindOf(registry) switch
        {
            RegistryKind.Hosted => next(),
            RegistryKind.Proxy => Task.FromResult(TResponse.Refused([OciError.ProxyTakesNoPush(registry)])),
            _ => Task.FromResult(TResponse.Refused([OciError.GroupTakesNoPush(registry)])),
        };
    }
}
