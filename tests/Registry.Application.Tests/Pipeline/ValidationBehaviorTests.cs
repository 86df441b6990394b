using FluentValidation;
using MediatR;
using Registry.Application.Pipeline;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Pipeline;

public sealed class ValidationBehaviorTests
{
    [Theory]
    [InlineData(nameof(OciErrorCode.ManifestInvalid), OciErrorCode.ManifestInvalid)]
    [InlineData("NobodyKnowsThis", OciErrorCode.Unsupported)]
    public async Task A_refusal_has_the_code_that_the_validator_gave_it(string code, OciErrorCode expected)
    {
        var rules = new Rules();
        rules.Add("layers", "is missing", code);

        var error = Assert.Single(await RefusalsAsync(rules));

        Assert.Equal((expected, ErrorReason.Invalid, "layers is missing."), (error.Code, error.Reason, error.Message));
    }

    [Fact]
    public async Task The_first_ten_errors_will_do()
    {
        var rules = new Rules();
        for (var i = 0; i < 20; i++)
            rules.Add($"layers[{i}]", "is wrong", nameof(OciErrorCode.ManifestInvalid));

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"layers[{i}] is wrong."), (await RefusalsAsync(rules)).Select(error => error.Message));
    }

    private static async Task<IReadOnlyList<OciError>> RefusalsAsync(Rules rules)
    {
        var behavior = new ValidationBehavior<Request, Result<int>>([rules]);
        var result = await behavior.Handle(
            new(), CancellationToken.None, () => throw new InvalidOperationException("The handler was called."));
        Assert.False(result.TryGet(out _, out var errors));
        return errors;
    }

    private sealed record Request : IRequest<Result<int>>;

    private sealed class Rules : AbstractValidator<Request>
    {
        public void Add(string path, string problem, string code)
            => RuleFor(request => request).Must(_ => false).WithMessage(problem).WithErrorCode(code).OverridePropertyName(path);
    }
}
