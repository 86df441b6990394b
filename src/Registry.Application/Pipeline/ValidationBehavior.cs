using FluentValidation;
using FluentValidation.Results;
using MediatR;
using Registry.Domain.Errors;

namespace Registry.Application.Pipeline;

/// <summary>Answers a request that its validators refuse as its handler would: with errors, not exceptions.</summary>
internal sealed class ValidationBehavior<TRequest, TResponse>(IEnumerable<IValidator<TRequest>> validators)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IRefusable<TResponse>
{
    // A document can be wrong in as many places as it has bytes; the first ones will do.
    private const int MaxErrors = 10;

    public Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        List<ValidationFailure>? failures = null;
        foreach (var validator in validators)
        {
            if (validator.Validate(request) is { IsValid: false } judged)
                (failures ??= []).AddRange(judged.Errors);
        }

        return failures is null
            ? next()
            : Task.FromResult(TResponse.Refused([.. failures.Take(MaxErrors).Select(ToError)]));
    }

    // A validator that sets no code of these is at fault; its request is refused all the same.
    private static OciError ToError(ValidationFailure failure) => failure.ErrorCode switch
    {
        nameof(OciErrorCode.ManifestInvalid) => OciError.ManifestInvalid(failure.PropertyName, failure.ErrorMessage),
        _ => OciError.RequestInvalid($"{failure.PropertyName} {failure.ErrorMessage}."),
    };
}
