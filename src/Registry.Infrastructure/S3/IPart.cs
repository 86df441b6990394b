namespace Registry.Infrastructure.S3;

/// <summary>Bytes that become a part. Can be sent again.</summary>
internal interface IPart : IDisposable
{
    /// <summary>In bytes.</summary>
    int Length { get; }

    Stream OpenRead();
}
