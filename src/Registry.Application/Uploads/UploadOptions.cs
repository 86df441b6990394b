namespace Registry.Application.Uploads;

/// <summary><c>Registry:Uploads</c></summary>
public sealed class UploadOptions
{
    /// <summary>How long an upload session may rest before it is dropped. Default one day.</summary>
    public TimeSpan Expiry { get; set; } = TimeSpan.FromDays(1);
}
