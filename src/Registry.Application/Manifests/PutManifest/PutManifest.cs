using MediatR;
using Registry.Application.Access;
using Registry.Application.Groups;
using Registry.Application.Manifests.Reading;
using Registry.Application.Pipeline;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests.PutManifest;

/// <summary>Stores a manifest and points tags at it (distribution-spec, end-7a and end-7b).</summary>
/// <param name="Reference">The tag to move, or the digest that the content must have.</param>
/// <param name="Tags">More tags to move.</param>
/// <param name="ContentType">Of the request, without parameters; null when it named none.</param>
/// <param name="Content">The bytes, which are stored as they are.</param>
public sealed record PutManifestCommand(
    RepositoryIdentity Repository,
    Reference Reference,
    IReadOnlyList<Tag> Tags,
    MediaType? ContentType,
    ReadOnlyMemory<byte> Content,
    Principal Principal) : IRequest<Result<PutManifestResult>>, IPush
{
    /// <summary>The group's repository that the client has named; null when it is <see cref="Repository"/>.</summary>
    public RepositoryIdentity? Group { get; init; }

    // Read once, for the validator and the handler alike.
    internal ManifestDocument Document => field ??= ManifestDocument.Read(Content);
}

/// <param name="Subject">What the manifest refers to; the API answers it as <c>OCI-Subject</c>.</param>
/// <param name="LacksSubject">Whether the subject is not in the repository, or not yet.</param>
/// <param name="Tags">The tags that point at it now because of this push.</param>
public sealed record PutManifestResult(Digest Digest, Digest? Subject, bool LacksSubject, IReadOnlyList<Tag> Tags);

internal sealed class PutManifestHandler(
    IManifestIndex manifests, IAccessPolicy access, GroupTakeover groups, ManifestOptions options)
    : IRequestHandler<PutManifestCommand, Result<PutManifestResult>>
{
    // One error an item that is missing, but a manifest can name tens of thousands.
    private const int MaxErrors = 100;

    public async Task<Result<PutManifestResult>> Handle(PutManifestCommand command, CancellationToken cancellationToken)
    {
        if (command.Tags.Count > options.MaxTags)
            return OciError.TooManyTags(options.MaxTags);

        var expected = command.Reference as Digest;
        var digest = Digest.Of(command.Content.Span, expected?.Algorithm ?? DigestAlgorithm.Sha256);
        if (expected is not null && expected != digest)
            return OciError.DigestMismatch(expected);

        IReadOnlyList<Tag> tags
            = [.. (command.Reference is Tag tag ? command.Tags.Prepend(tag) : command.Tags).Distinct()];
        var manifest = command.Document.ToManifest(command.ContentType);
        // Who may push and not overwrite may still make tags; only the write itself can tell which of them are new.
        var mayOverwrite = access.Allows(command.Principal, command.Repository, RegistryAction.Overwrite);
        var put = new NewManifest(
            command.Repository, digest, manifest, command.Content, tags, command.Principal, mayOverwrite);
        var outcome = await manifests.PutAsync(put, cancellationToken);
        if (outcome.IsRefused && command.Group is { } group
            && await groups.TakeAsync(group, command.Repository, outcome, command.Principal, cancellationToken))
            outcome = await manifests.PutAsync(put, cancellationToken);
        if (outcome.KeptTag is { } kept)
            return OciError.OverwriteDenied(kept);
        if (outcome.IsRefused)
        {
            return Result<PutManifestResult>.Refused(
            [
                .. outcome.MissingBlobs.Select(OciError.ReferencedBlobUnknown)
                    .Concat(outcome.MissingManifests.Select(OciError.ReferencedManifestUnknown))
                    .Take(MaxErrors),
            ]);
        }

        return new PutManifestResult(digest, manifest.Subject?.Digest, outcome.MissingSubject is not null, tags);
    }
}
