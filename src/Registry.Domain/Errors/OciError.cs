using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Domain.Errors;

/// <summary>One refusal or failure, as the error envelope of the distribution-spec tells it.</summary>
/// <param name="Message">A sentence that names the thing at fault.</param>
public sealed record OciError(OciErrorCode Code, ErrorReason Reason, string Message)
{
    /// <summary>
    /// The thing at fault by itself (a digest, a JSON path …), for programs; null when the message says all.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Detail { get; init; }

    /// <summary>Where the upload session stands, in bytes, when the error is about a session that stays open.</summary>
    public long? Offset { get; init; }

    /// <summary>When to come again; null when there is nothing to say about it.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Whether what was not found may be there all the same: who was asked does not show it, or did not answer itself.
    /// </summary>
    public bool MayExist { get; init; }

    /// <summary>What the log tells beside the message and clients do not; null when there is nothing.</summary>
    public string? OnlyForLog { get; init; }

    /// <summary>The message as the log has it.</summary>
    public string LogMessage => OnlyForLog is null ? Message : $"{Message.TrimEnd('.')} ({OnlyForLog}).";

    public static OciError RepositoryUnknown(RepositoryName name)
        => new(OciErrorCode.NameUnknown, ErrorReason.NotFound, $"Repository '{name}' does not exist.")
        {
            Detail = Of("name", name),
        };

    public static OciError NamespaceUnknown(string ns)
        => new(
            OciErrorCode.NameUnknown, ErrorReason.NotFound,
            $"No proxy answers to ns={Shorten(ns)} (Registry:Registries:*:Namespaces).");

    public static OciError NameInvalid(string? text)
        => new(OciErrorCode.NameInvalid, ErrorReason.Invalid, $"'{Shorten(text)}' is not a repository name.");

    public static OciError BlobUnknown(Digest digest)
        => new(OciErrorCode.BlobUnknown, ErrorReason.NotFound, $"Blob {digest} is not in this repository.")
        {
            Detail = Of("digest", digest),
        };

    public static OciError DigestInvalid(string? text)
        => new(OciErrorCode.DigestInvalid, ErrorReason.Invalid, $"'{Shorten(text)}' is not a sha256 or sha512 digest.");

    public static OciError DigestMissing()
        => new(OciErrorCode.DigestInvalid, ErrorReason.Invalid, "The query parameter 'digest' is missing.");

    public static OciError DigestMismatch(Digest digest)
        => new(OciErrorCode.DigestInvalid, ErrorReason.Invalid, $"The content does not have the digest {digest}.")
        {
            Detail = Of("digest", digest),
        };

    public static OciError AlgorithmUnknown(string? text)
        => new(
            OciErrorCode.DigestInvalid, ErrorReason.Invalid,
            $"The digest algorithm '{Shorten(text)}' is not sha256 or sha512.");

    public static OciError UploadUnknown(string? id)
        => new(
            OciErrorCode.BlobUploadUnknown, ErrorReason.NotFound,
            $"There is no upload session '{Shorten(id)}' in this repository.");

    public static OciError UploadUnknown(UploadId id) => UploadUnknown(id.ToString());

    public static OciError ChunkOutOfOrder(long offset)
        => new(
            OciErrorCode.BlobUploadInvalid, ErrorReason.OutOfOrder,
            $"The next chunk of this upload must start at byte {offset}.")
        {
            Offset = offset,
        };

    public static OciError UploadBusy(long offset)
        => new(OciErrorCode.BlobUploadInvalid, ErrorReason.OutOfOrder, "Another request is writing to this upload.")
        {
            Offset = offset,
        };

    public static OciError ContentRangeInvalid(string? text)
        => new(
            OciErrorCode.BlobUploadInvalid, ErrorReason.Invalid,
            $"The Content-Range '{Shorten(text)}' is not of the form 'first-last'.");

    public static OciError BodyLengthDiffers(long expected, long received)
        => new(
            OciErrorCode.SizeInvalid, ErrorReason.Invalid,
            $"The body has {received} bytes where {expected} were announced.");

    public static OciError BodyIncomplete()
        => new(OciErrorCode.SizeInvalid, ErrorReason.Invalid, "The body ended before its announced length.");

    public static OciError RangeNotSatisfiable(long size)
        => new(
            OciErrorCode.SizeInvalid, ErrorReason.RangeNotSatisfiable,
            $"The range lies outside the blob's {size} bytes.");

    public static OciError ManifestUnknown(Reference reference)
        => new(OciErrorCode.ManifestUnknown, ErrorReason.NotFound, $"Manifest '{reference}' is not in this repository.")
        {
            Detail = Of("reference", reference),
        };

    public static OciError ManifestUnknown(string? text)
        => new(
            OciErrorCode.ManifestUnknown, ErrorReason.NotFound,
            $"Manifest '{Shorten(text)}' is not in this repository.");

    public static OciError TagInvalid(string? text)
        => new(OciErrorCode.ManifestInvalid, ErrorReason.Invalid, $"'{Shorten(text)}' is not a tag.");

    public static OciError TooManyTags(int limit)
        => new(
            OciErrorCode.ManifestInvalid, ErrorReason.TooMany, $"A manifest can be given up to {limit} tags at once.");

    /// <param name="path">JSON path of the member at fault, such as <c>layers[2].digest</c>.</param>
    public static OciError ManifestInvalid(string path, string problem)
        => new(
            OciErrorCode.ManifestInvalid, ErrorReason.Invalid,
            path.Length == 0 ? $"The manifest {problem}." : $"{path} {problem}.")
        {
            Detail = path.Length == 0 ? null : Of("path", path),
        };

    public static OciError ManifestTooLarge(long limit)
        => new(OciErrorCode.SizeInvalid, ErrorReason.TooLarge, $"A manifest may have up to {limit} bytes.");

    public static OciError ReferencedBlobUnknown(Digest digest)
        => new(OciErrorCode.ManifestBlobUnknown, ErrorReason.Invalid, $"Blob {digest} is not in this repository.")
        {
            Detail = Of("digest", digest),
        };

    public static OciError ReferencedManifestUnknown(Digest digest)
        => new(OciErrorCode.ManifestBlobUnknown, ErrorReason.Invalid, $"Manifest {digest} is not in this repository.")
        {
            Detail = Of("digest", digest),
        };

    public static OciError TooManyRequests(TimeSpan wait)
        => new(
            OciErrorCode.TooManyRequests, ErrorReason.TooOften,
            "This address sends too many requests; wait as long as Retry-After says (Registry:Limits).")
        {
            RetryAfter = wait,
        };

    public static OciError TooManyRequestsOfPrincipal(TimeSpan wait)
        => TooManyRequests(wait) with
        {
            Message = "These credentials send too many requests; wait as long as Retry-After says (Registry:Limits).",
        };

    public static OciError PageInvalid(string? n)
        => new(
            OciErrorCode.Unsupported, ErrorReason.Invalid, $"n is '{Shorten(n)}', it must be a whole number from 0.");

    public static OciError DeleteDisabled()
        => new(
            OciErrorCode.Unsupported, ErrorReason.Unsupported, "Deleting is switched off (Registry:Delete:Enabled).");

    public static OciError ProxyOffline(RegistryName registry)
        => new(
            OciErrorCode.NameUnknown, ErrorReason.NotFound,
            $"This is not cached, and registry '{registry}' is offline (Registry:Registries:{registry}:Offline).");

    public static OciError ProxyExcludes(RepositoryIdentity repository)
        => new(
            OciErrorCode.NameUnknown, ErrorReason.NotFound,
            $"Registry '{repository.Registry}' does not fetch repository '{repository.Name}' from its upstream "
            + $"(Registry:Registries:{repository.Registry}:Include, Exclude).");

    /// <summary>The same of a group, whose proxies were not asked.</summary>
    /// <param name="owner">The hosted member that has a repository of this name.</param>
    public OciError HiddenBy(RegistryName owner)
        => this with
        {
            Message = $"{Message} Proxies are not asked for it, since registry '{owner}' has a repository of this "
                + "name.",
        };

    /// <summary>The same of what was to be deleted; of a group, with the member in which it deletes.</summary>
    public OciError WhereDeleted(RepositoryAddress repository)
        => repository.Group is not { Registry: var group }
            ? this
            : this with
            {
                Message = $"{Message} The group '{group}' deletes in '{repository.Identity.Registry}', which does not "
                    + "have it.",
            };

    public static OciError ProxyTakesNoPush(RegistryName registry)
        => new(
            OciErrorCode.Unsupported, ErrorReason.Unsupported,
            $"Registry '{registry}' caches another registry and takes no pushes: push to a hosted one.");

    public static OciError GroupTakesNoPush(RegistryName registry)
        => new(
            OciErrorCode.Unsupported, ErrorReason.Unsupported,
            $"Registry '{registry}' is a group of which no member takes pushes: push to a hosted registry, or set "
            + $"Registry:Registries:{registry}:PushTo.");

    public static OciError Unauthenticated()
        => new(
            OciErrorCode.Unauthorized, ErrorReason.Unauthenticated,
            "Clients without credentials may not do this here (Registry:Access).");

    public static OciError CredentialsWrong()
        => new(OciErrorCode.Unauthorized, ErrorReason.Unauthenticated, "There is no such user with this password.");

    public static OciError CredentialsUnreadable()
        => new(
            OciErrorCode.Unauthorized, ErrorReason.Unauthenticated,
            "The Authorization header is neither 'Basic' with user and password in base64 (RFC 7617) nor 'Bearer' "
            + "with a token.");

    /// <param name="why">In the words of a sentence's second half, such as <c>has expired</c>.</param>
    public static OciError TokenInvalid(string why)
        => new(OciErrorCode.Unauthorized, ErrorReason.Unauthenticated, $"The token {why}.");

    public static OciError TooManyFailures(TimeSpan wait)
        => new(
            OciErrorCode.TooManyRequests, ErrorReason.TooOften,
            "Too many logins have failed; wait as long as Retry-After says.")
        {
            RetryAfter = wait,
        };

    public static OciError AccessUndecided()
        => new(
            OciErrorCode.Unauthorized,
            ErrorReason.Unauthenticated,
            "This registry serves only its own machine, without a proxy, until its configuration says what others "
            + "may do (Registry:Access:Anonymous).");

    public static OciError ActionDenied(RegistryAction action)
        => Denied($"You may not {action.ToString().ToLowerInvariant()} here (Registry:Access:Rules).");

    public static OciError TokenInsufficient(RegistryAction action)
        => new(
            OciErrorCode.Denied, ErrorReason.Unauthenticated,
            $"The token does not give the right to {action.ToString().ToLowerInvariant()} here.");

    public static OciError OverwriteDenied(Tag tag)
        => Denied($"Tag '{tag}' is there, and you may not overwrite tags here (Registry:Access:Rules).");

    public static OciError Denied(string why) => new(OciErrorCode.Denied, ErrorReason.Denied, why);

    /// <param name="what">In words, such as <c>User 'alice'</c>.</param>
    public static OciError Unknown(string what)
        => new(OciErrorCode.Unsupported, ErrorReason.NotFound, $"{what} does not exist.");

    /// <inheritdoc cref="Unknown"/>
    public static OciError LockedOut(string what)
        => new(OciErrorCode.Unsupported, ErrorReason.NotFound, $"{what} is disabled or locked.");

    /// <inheritdoc cref="Unknown"/>
    public static OciError Exists(string what)
        => new(OciErrorCode.Unsupported, ErrorReason.Conflict, $"{what} is there already.");

    /// <inheritdoc cref="Unknown"/>
    public static OciError Changed(string what)
        => new(
            OciErrorCode.Unsupported, ErrorReason.Changed,
            $"{what} was changed meanwhile: read it again before changing it (If-Match).");

    public static OciError AccountNameInvalid(string? text)
        => RequestInvalid(
            $"'{Shorten(text)}' is no name of a user or group: up to {AccountName.MaxLength} letters, digits and "
            + "._-@+, beginning with a letter or digit.");

    /// <param name="what">What is to be done, such as <c>delete user 'alice'</c>.</param>
    public static OciError LastAdministrator(string what)
        => new(
            OciErrorCode.Unsupported, ErrorReason.Conflict,
            $"It is not possible to {what}: no local user would be left who may administer.");

    public static OciError ParameterMissing(string name)
        => new(OciErrorCode.Unsupported, ErrorReason.Invalid, $"The query parameter '{name}' is missing.");

    public static OciError NothingHere()
        => new(OciErrorCode.Unsupported, ErrorReason.NotFound, "There is nothing at this path.");

    public static OciError RequestInvalid(string problem)
        => new(OciErrorCode.Unsupported, ErrorReason.Invalid, problem);

    public static OciError StoreFull()
        => new(
            OciErrorCode.Unavailable, ErrorReason.StoreFull,
            "The registry's storage is full; nothing of this was stored.");

    public static OciError Unavailable(string what)
        => new(
            OciErrorCode.Unavailable, ErrorReason.Unavailable,
            $"The registry's {what} cannot be used at the moment; try again.");

    /// <param name="cause">
    /// In one word what kind of failure it is: <c>throttled</c>, <c>unreachable</c>, <c>timeout</c> …
    /// </param>
    public static OciError StoreUnavailable(string store, string cause)
        => Unavailable($"store '{store}'") with
        {
            Message = $"The registry's store '{store}' cannot be used at the moment ({cause}); try again.",
            Detail = Of("cause", cause),
        };

    /// <param name="upstream">Its host.</param>
    /// <param name="cause">What it did, as the end of a sentence.</param>
    public static OciError UpstreamFault(string upstream, string cause)
        => new(
            OciErrorCode.Unavailable, ErrorReason.UpstreamFault,
            $"The upstream {upstream} failed: it {Shorten(cause)}.")
        {
            Detail = Of("upstream", upstream),
        };

    /// <inheritdoc cref="UpstreamFault"/>
    /// <param name="wait">When it will be asked again.</param>
    public static OciError UpstreamUnavailable(string upstream, string cause, TimeSpan? wait = null)
        => new(
            OciErrorCode.Unavailable, ErrorReason.Unavailable,
            $"The upstream {upstream} cannot be used at the moment: it {Shorten(cause)}.")
        {
            Detail = Of("upstream", upstream),
            RetryAfter = wait,
        };

    /// <inheritdoc cref="UpstreamUnavailable"/>
    public static OciError UpstreamTooOften(string upstream, TimeSpan wait)
        => new(
            OciErrorCode.TooManyRequests, ErrorReason.TooOften,
            $"The upstream {upstream} takes no more requests for now; wait as long as Retry-After says.")
        {
            Detail = Of("upstream", upstream),
            RetryAfter = wait,
        };

    public static OciError BlobTooLarge(string store, long limit)
        => new(
            OciErrorCode.SizeInvalid, ErrorReason.TooLarge,
            $"Store '{store}' takes blobs up to {limit >> 30} GiB.");

    public static OciError FormTooLarge(long limit)
        => new(OciErrorCode.SizeInvalid, ErrorReason.TooLarge, $"A form may have up to {limit} bytes.");

    public static OciError Fault()
        => new(
            OciErrorCode.Unknown, ErrorReason.Fault, "The registry failed; its log tells more under this request id.");

    /// <summary>
    /// What a client sent as messages repeat it: cut, so that an answer never grows with its request.
    /// </summary>
    public static string Shorten(string? text)
        => text is null ? "" : text.Length <= 100 ? text : string.Concat(text.AsSpan(0, 100), "…");

    private static Dictionary<string, string> Of(string key, object value)
        => new(StringComparer.Ordinal) { [key] = value.ToString()! };
}
