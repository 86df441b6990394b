using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Manifests;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Manifests;
using Registry.Web.Access;

namespace Registry.Web.Admin;

public sealed class ManifestsController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>What a manifest says: its type, what it is made of, what it refers to.</summary>
    /// <param name="repository" example="team/app">The repository, as clients of this host call it.</param>
    /// <param name="reference" example="v1">A tag or digest.</param>
    [HttpGet("/api/v1/manifests")]
    [RequiresAccess(RegistryAction.Pull)]
    [ProducesResponseType<ManifestModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Get(
        [FromQuery, Required] string? repository, [FromQuery, Required] string? reference,
        CancellationToken cancellationToken)
    {
        if (!Resolve(repository).TryGet(out var address, out var errors)
            || !ReadReference(reference).TryGet(out var parsed, out errors))
            return Problem(errors);
        var described = await Mediator.Send(
            new DescribeManifestQuery(address.Identity, parsed, Caller), cancellationToken);
        return described.Match(manifest => Ok(ManifestModel.Of(manifest)), Problem);
    }
}

/// <param name="Size">Of the manifest itself, in bytes.</param>
/// <param name="ContentSize">Of the manifest, its config and its layers together, in bytes.</param>
/// <param name="Config">Of an image; null for an index.</param>
/// <param name="Layers">Of an image, bottom first; null for an index.</param>
/// <param name="Manifests">Of an index; null for an image.</param>
/// <param name="Subject">What the manifest refers to, such as the image that a signature signs.</param>
public sealed record ManifestModel(
    string Digest,
    string MediaType,
    string? ArtifactType,
    long Size,
    long ContentSize,
    DescriptorModel? Config,
    IReadOnlyList<DescriptorModel>? Layers,
    IReadOnlyList<DescriptorModel>? Manifests,
    DescriptorModel? Subject,
    JsonElement? Annotations)
{
    internal static ManifestModel Of(DescribedManifest described)
    {
        var (image, index) = (described.Manifest as ImageManifest, described.Manifest as ImageIndex);
        return new(
            described.Digest.ToString(),
            described.Manifest.MediaType.Value,
            described.Manifest.ArtifactType?.Value,
            described.Size,
            described.Size + (image is null ? 0 : image.Config.Size + image.Layers.Sum(layer => layer.Size)),
            image is null ? null : DescriptorModel.Of(image.Config),
            image is null ? null : [.. image.Layers.Select(DescriptorModel.Of)],
            index is null ? null : [.. index.Manifests.Select(DescriptorModel.Of)],
            described.Manifest.Subject is { } subject ? DescriptorModel.Of(subject) : null,
            described.Manifest.Annotations is { } annotations
                ? JsonSerializer.Deserialize<JsonElement>(annotations)
                : null);
    }
}

/// <param name="Size">In bytes.</param>
public sealed record DescriptorModel(string MediaType, string Digest, long Size)
{
    internal static DescriptorModel Of(Descriptor descriptor)
        => new(descriptor.MediaType.Value, descriptor.Digest.ToString(), descriptor.Size);
}
