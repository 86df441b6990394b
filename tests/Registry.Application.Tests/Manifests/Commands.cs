using System.Text;
using Registry.Application.Manifests.PutManifest;
using Registry.Domain.Manifests;

namespace Registry.Application.Tests.Manifests;

internal static class Commands
{
    public static PutManifestCommand Put(
        string json, string? contentType = ManifestSamples.OciManifest, string reference = "v1", params string[] tags)
        => Put(Encoding.UTF8.GetBytes(json), contentType, reference, tags);

    public static PutManifestCommand Put(
        byte[] content, string? contentType = ManifestSamples.OciManifest, string reference = "v1", params string[] tags)
        => new(
            UseCases.Repository,
            Reference.Parse(reference),
            [.. tags.Select(Tag.Parse)],
            contentType is null ? null : MediaType.Parse(contentType),
            content,
            UseCases.Alice);
}
