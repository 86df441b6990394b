using System.Net;
using Amazon.Runtime;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>Sees to it that a bucket is there, can be used, and is used by one kind of software only.</summary>
internal sealed class S3Guard(string store, StoreOptions options, S3Bucket bucket)
{
    private string Place
        => options.Prefix.Trim('/') is { Length: > 0 } prefix
            ? $"{options.Bucket}/{prefix}/{StoreMark.FileName}"
            : $"{options.Bucket}/{StoreMark.FileName}";

    /// <inheritdoc cref="IStoreAdapter.PrepareAsync"/>
    public async Task<string> PrepareAsync(string? known, CancellationToken cancellationToken)
    {
        try
        {
            var mark = await bucket.ReadOnceAsync(StoreMark.FileName, cancellationToken)
                ?? await WriteMarkAsync(known, cancellationToken);
            var owner = StoreMark.Parse(mark);
            return StoreMark.FindFault(owner, known, Place, "bucket") is var (problem, fix)
                ? throw Refused("Bucket", options.Bucket, problem, fix)
                : owner!.Id!;
        }
        catch (Exception cause)
            when (S3Faults.Covers(cause) && !cancellationToken.IsCancellationRequested)
        {
            throw Explain(cause);
        }
        catch (Domain.Errors.StorageException failure)
        {
            throw Explain(failure.InnerException!);
        }
    }

    /// <summary>
    /// Throws when the bucket does not carry its mark: one that was emptied, or made anew, must look neither like a
    /// store without blobs nor like a place for new ones.
    /// </summary>
    public async Task ThrowIfDetachedAsync(CancellationToken cancellationToken)
    {
        if (await bucket.ReadAsync(StoreMark.FileName, cancellationToken) is null)
            throw bucket.Faults.Of(new IOException($"'{Place}' is not there: the bucket was emptied."));
    }

    private async Task<byte[]> WriteMarkAsync(string? known, CancellationToken cancellationToken)
    {
        if (known is not null)
        {
            throw Refused(
                "Bucket", options.Bucket, $"has no '{Place}', but the database knows this store",
                "Name the bucket and prefix that have it.");
        }

        await foreach (var (key, _) in bucket.ListAsync("", pageSize: 1, cancellationToken))
        {
            if (await bucket.ReadAsync(StoreMark.FileName, cancellationToken) is { } written)
                return written; // by another node, a moment ago
            throw Refused(
                "Bucket", options.Bucket,
                key.StartsWith(StoreLayout.Content, StringComparison.Ordinal)
                    ? "holds the data of another registry"
                    : $"holds other objects ('{key}')",
                "Choose an empty bucket, or a Prefix of its own.");
        }

        // Of several nodes that start at once, one writes it.
        var mark = StoreMark.Create().ToJson();
        return await bucket.TryPutAsync(
            StoreMark.FileName, () => new MemoryStream(mark), ifAbsent: true, cancellationToken)
            ? mark
            : await bucket.ReadAsync(StoreMark.FileName, cancellationToken) ?? mark;
    }

    private StartRefusedException Explain(Exception cause) => cause switch
    {
        AmazonServiceException { ErrorCode: "NoSuchBucket" } => Refused(
            "Bucket", options.Bucket, "does not exist", "Create it, or correct the name.", cause),
        AmazonServiceException { ErrorCode: "InvalidAccessKeyId" } => Refused(
            "AccessKey", options.AccessKey, "the server does not know", "Correct it.", cause),
        AmazonServiceException { ErrorCode: "SignatureDoesNotMatch" } => new(
            $"Registry:Stores:{store}:SecretKey{(options.SecretKeyFile is null ? "" : "File")} is not the secret "
            + $"of the access key '{options.AccessKey}': correct it.",
            cause),
        AmazonServiceException { ErrorCode: "AuthorizationHeaderMalformed" or "PermanentRedirect" } => Refused(
            "Region", options.Region, $"is not where the bucket is ({cause.Message})", "Correct it.", cause),
        AmazonServiceException { ErrorCode: "RequestTimeTooSkewed" } => new(
            $"Registry:Stores:{store}: the server's clock and this machine's differ too much: set them right.", cause),
        AmazonServiceException { StatusCode: HttpStatusCode.Forbidden } => Refused(
            "Bucket", options.Bucket, $"may not be used with the access key '{options.AccessKey}'",
            "Let it read, write, list and delete there.", cause),
        AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented } => Refused(
            "ServiceUrl", options.ServiceUrl, "does not support If-None-Match when an object is put",
            "A server that does is needed.", cause),
        AmazonServiceException { StatusCode: not default(HttpStatusCode) } answer => Refused(
            "ServiceUrl", options.ServiceUrl, $"answers {(int)answer.StatusCode} {answer.ErrorCode}",
            "See what the server's log says.", cause),
        OperationCanceledException or TimeoutException => Refused(
            "ServiceUrl", options.ServiceUrl, $"has not answered within {bucket.Timeout.TotalSeconds:0} seconds",
            "Correct it, or see why.", cause),
        AmazonClientException when string.IsNullOrEmpty(options.AccessKey) => new(
            $"Registry:Stores:{store}:AccessKey is not set, and there are no credentials where AWS's tools look for "
            + "them: set AccessKey and SecretKeyFile.",
            cause),
        _ => Refused(
            "ServiceUrl", options.ServiceUrl, $"cannot be reached ({cause.GetBaseException().Message})",
            "Correct it, or start the server.", cause),
    };

    private StartRefusedException Refused(
        string key, string? value, string problem, string fix, Exception? cause = null)
        => new($"Registry:Stores:{store}:{key} is '{value}', which {problem.ReplaceLineEndings(" ")}. {fix}", cause);
}
