using FluentValidation;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;

namespace Registry.Application.Manifests.Reading;

/// <summary>A descriptor by itself (image-spec, "Content Descriptors").</summary>
internal sealed class DescriptorValidator : AbstractValidator<DescriptorDocument>
{
    public DescriptorValidator()
    {
        RuleFor(descriptor => descriptor.MediaType).Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("is missing")
            .Must(MediaType.IsWellFormed!).WithMessage("is not a media type")
            .OverridePropertyName("mediaType");

        RuleFor(descriptor => descriptor.Digest).Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("is missing")
            .Must(text => Digest.TryParse(text, out _)).WithMessage("is not a sha256 or sha512 digest")
            .OverridePropertyName("digest");

        RuleFor(descriptor => descriptor.Size).Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("is missing")
            .Must(size => size >= 0).WithMessage("is negative")
            .OverridePropertyName("size");

        RuleFor(descriptor => descriptor.ArtifactType)
            .Must(text => string.IsNullOrEmpty(text) || MediaType.IsWellFormed(text)).WithMessage("is not a media type")
            .OverridePropertyName("artifactType");

        RuleFor(descriptor => descriptor.Data)
            .Must((descriptor, data) => data is null || IsContent(descriptor, data))
            .WithMessage("is not the Base64 of the content that digest and size describe")
            .OverridePropertyName("data");
    }

    private static bool IsContent(DescriptorDocument descriptor, string data)
    {
        var content = new byte[data.Length / 4 * 3 + 3];
        return Convert.TryFromBase64String(data, content, out var length)
            && (descriptor.Size is null || descriptor.Size == length)
            && (!Digest.TryParse(descriptor.Digest, out var digest)
                || Digest.Of(content.AsSpan(0, length), digest.Algorithm) == digest);
    }
}
