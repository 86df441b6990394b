using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Tokens;

/// <summary>The public keys of the tokens, newest first.</summary>
public sealed record ListPublishedKeysQuery : IRequest<Result<IReadOnlyList<PublishedKey>>>;

internal sealed class ListPublishedKeysHandler(ITokenIssuer issuer)
    : IRequestHandler<ListPublishedKeysQuery, Result<IReadOnlyList<PublishedKey>>>
{
    public async Task<Result<IReadOnlyList<PublishedKey>>> Handle(
        ListPublishedKeysQuery query, CancellationToken cancellationToken)
        => Result<IReadOnlyList<PublishedKey>>.Of(await issuer.PublishedKeysAsync(cancellationToken));
}
