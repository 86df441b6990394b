using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <param name="Offset">Bytes accepted so far.</param>
public sealed record UploadProgress(UploadId Id, long Offset);
