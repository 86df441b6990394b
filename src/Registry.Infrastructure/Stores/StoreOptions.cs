namespace Registry.Infrastructure.Stores;

public enum StoreKind
{
    /// <summary>A folder, on a local disk or mounted.</summary>
    FileSystem,

    /// <summary>A bucket of an S3 server: AWS, MinIO, Ceph and others.</summary>
    S3,
}

/// <summary><c>Registry:Stores:*</c>: one place for blobs.</summary>
public sealed class StoreOptions
{
    public StoreKind Kind { get; set; } = StoreKind.FileSystem;

    /// <summary>The folder of the store. A relative path counts from the working directory.</summary>
    public string Root { get; set; } = "";

    /// <summary>
    /// The folder for uploads that are not finished. Default <c>_uploads</c> in <see cref="Root"/>; on another device
    /// every finished upload is copied once. Of S3: the local folder for blobs on their way from an upstream, default
    /// one in <c>Registry:Data</c>.
    /// </summary>
    public string? Staging { get; set; }

    /// <summary>Of S3: address of the server, such as <c>https://minio.example.com</c>. Default AWS.</summary>
    public string? ServiceUrl { get; set; }

    /// <summary>Of S3: the bucket, which must exist.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>
    /// Of S3: what all keys of this store begin with. Default nothing: the bucket is the store's own.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>Of S3: default <c>us-east-1</c>, which servers other than AWS mostly go by too.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>
    /// Of S3: whether the bucket stands in the path of addresses and not in their host name. Default yes where there is
    /// a <see cref="ServiceUrl"/>.
    /// </summary>
    public bool? ForcePathStyle { get; set; }

    /// <summary>
    /// Of S3: id of the access key. Without one, credentials come from where AWS's tools look for them.
    /// </summary>
    public string? AccessKey { get; set; }

    /// <summary>Of S3: the access key's secret.</summary>
    public string? SecretKey { get; set; }

    /// <summary>Of S3: a file with the access key's secret, in place of <see cref="SecretKey"/>.</summary>
    public string? SecretKeyFile { get; set; }

    /// <summary>
    /// Of S3: how long one answer of the server may take; the sending of a part may take four times as long. Default 30
    /// seconds.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Of S3: whether clients are sent to the server itself to fetch large blobs. They must be able to reach it.
    /// Default no.
    /// </summary>
    public bool Redirect { get; set; }

    /// <summary>Of S3: blobs below this size are never redirected. In bytes, default 1 MiB.</summary>
    public long RedirectMinBytes { get; set; } = 1 << 20;
}
