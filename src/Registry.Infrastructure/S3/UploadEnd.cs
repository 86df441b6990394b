namespace Registry.Infrastructure.S3;

/// <summary>How the end of a multipart upload went.</summary>
internal enum UploadEnd
{
    Done,

    /// <summary>There is no such upload (any more): it was aborted, or has ended before.</summary>
    Unknown,

    /// <summary>The upload has other parts than those named; some servers insist on all of them.</summary>
    OtherParts,
}
