using FluentValidation;
using FluentValidation.Results;
using Registry.Application.Manifests.Reading;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;

namespace Registry.Application.Manifests.PutManifest;

/// <summary>
/// Judges a manifest by itself, against the image-spec ("Image Manifest", "Image Index", "Content Descriptors") and
/// Docker's schema 2. Each failure bears the JSON path of the member at fault; of a list, the first wrong entry is
/// named, since a few megabytes hold a million of them.
/// </summary>
internal sealed class PutManifestValidator : AbstractValidator<PutManifestCommand>
{
    private const string Whole = "";

    private static readonly DescriptorValidator Descriptor = new();

    public PutManifestValidator()
    {
        RuleFor(command => command.Document.Problems).Custom((problems, context) =>
        {
            foreach (var problem in problems)
                context.AddFailure(Failure(problem.Path, problem.Text));
        });

        RuleFor(command => command).Custom(JudgeTypes).When(command => command.Document.Problems.Count == 0);

        When(command => command.Document.Problems.Count == 0
            && !command.Document.LooksLikeSchema1
            && TypeOf(command) is not { IsSchema1: true }, () =>
        {
            RuleFor(command => command.Document.SchemaVersion)
                .Equal(2).WithMessage("is not 2").OverridePropertyName("schemaVersion");
            RuleFor(command => command.Document.ArtifactType)
                .Must(text => string.IsNullOrEmpty(text) || MediaType.IsWellFormed(text))
                .WithMessage("is not a media type")
                .OverridePropertyName("artifactType");
            RuleFor(command => command.Document.Subject!).SetValidator(Descriptor).OverridePropertyName("subject");

            When(command => TypeOf(command) is { IsIndex: true }, () =>
            {
                RuleFor(command => command.Document.Manifests)
                    .NotNull().WithMessage("is missing").OverridePropertyName("manifests");
                RuleForEach(command => command.Document.Manifests).Cascade(CascadeMode.Stop)
                    .SetValidator(Descriptor).OverridePropertyName("manifests");
                // One document that reads as image and as index means different things to different clients
                // (CVE-2021-41190).
                RuleFor(command => command.Document.Config)
                    .Null().WithMessage("stands in an index").OverridePropertyName("config");
                RuleFor(command => command.Document.Layers)
                    .Null().WithMessage("stands in an index").OverridePropertyName("layers");
            }).Otherwise(() =>
            {
                RuleFor(command => command.Document.Config)
                    .NotNull().WithMessage("is missing").OverridePropertyName("config");
                RuleFor(command => command.Document.Config!).SetValidator(Descriptor).OverridePropertyName("config");
                RuleFor(command => command.Document.Layers)
                    .NotNull().WithMessage("is missing").OverridePropertyName("layers");
                RuleForEach(command => command.Document.Layers).Cascade(CascadeMode.Stop)
                    .SetValidator(Descriptor).OverridePropertyName("layers");
                RuleFor(command => command.Document.Manifests)
                    .Null().WithMessage("stands in an image manifest").OverridePropertyName("manifests");
                RuleFor(command => command.Document.ArtifactType)
                    .NotEmpty().When(command => command.Document.Config?.MediaType == MediaType.OciEmpty.Value)
                    .WithMessage($"is missing, which a config of type {MediaType.OciEmpty} needs")
                    .OverridePropertyName("artifactType");
            });
        });
    }

    // Whatever is wrong, and in whichever part, it is the manifest that is invalid.
    public override ValidationResult Validate(ValidationContext<PutManifestCommand> context)
    {
        var judged = base.Validate(context);
        foreach (var failure in judged.Errors)
            failure.ErrorCode = nameof(OciErrorCode.ManifestInvalid);
        return judged;
    }

    private static MediaType? TypeOf(PutManifestCommand command)
        => command.ContentType ?? (MediaType.TryParse(command.Document.MediaType, out var type) ? type : null);

    private static void JudgeTypes(PutManifestCommand command, ValidationContext<PutManifestCommand> context)
    {
        var (type, document) = (TypeOf(command), command.Document);
        if (type is null)
            Fail(Whole, "has no media type: neither the Content-Type header nor mediaType names one");
        else if (type.IsSchema1 || document.LooksLikeSchema1)
            Fail(Whole, "is of Docker's schema 1, which is not supported; push it again with a current client");
        else if (!type.IsManifest)
            Fail(
                document.MediaType == type.Value ? "mediaType" : Whole,
                $"is of the type '{type}', which is no manifest this registry knows");
        else if (document.MediaType is { } declared && declared != type.Value)
            Fail("mediaType", $"is '{OciError.Shorten(declared)}', but the Content-Type is '{type}'");

        void Fail(string path, string problem) => context.AddFailure(Failure(path, problem));
    }

    private static ValidationFailure Failure(string path, string problem) => new(path, problem);
}
