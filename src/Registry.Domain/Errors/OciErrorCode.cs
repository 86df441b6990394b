namespace Registry.Domain.Errors;

/// <summary>
/// The codes of distribution-spec, "Error Codes", for refusals; <see cref="Unknown"/> and <see cref="Unavailable"/>
/// stand in 5xx answers only.
/// </summary>
public enum OciErrorCode
{
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    TooManyRequests,
    Unknown,
    Unavailable,
}
