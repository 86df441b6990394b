using Amazon.Runtime;
using Amazon.S3;
using Registry.Testing.Processes;

namespace Registry.Testing;

/// <summary>The objects of an S3 server, as its administrator may change them.</summary>
public static class S3Objects
{
    /// <summary>A client of the server, which the caller disposes of.</summary>
    public static AmazonS3Client CreateClient(this S3Server server) => new(
        new BasicAWSCredentials(server.AccessKey, server.SecretKey),
        new AmazonS3Config
        {
            ServiceURL = server.Address.ToString(),
            ForcePathStyle = true,
            AuthenticationRegion = "us-east-1",
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        });

    /// <summary>Puts other bytes into all objects below a prefix that hold these; null deletes the objects.</summary>
    public static async Task ChangeAsync(this S3Server server, string prefix, byte[] bytes, byte[]? changed)
    {
        using var client = server.CreateClient();
        var objects = client.Paginators.ListObjectsV2(new() { BucketName = server.Bucket, Prefix = prefix });
        await foreach (var found in objects.S3Objects)
        {
            if (found.Size != bytes.Length || !(await ReadAsync(found.Key)).AsSpan().SequenceEqual(bytes))
                continue;
            if (changed is null)
            {
                await client.DeleteObjectAsync(server.Bucket, found.Key);
            }
            else
            {
                await client.PutObjectAsync(
                    new() { BucketName = server.Bucket, Key = found.Key, InputStream = new MemoryStream(changed) });
            }
        }

        async Task<byte[]> ReadAsync(string key)
        {
            using var content = new MemoryStream();
            using var answer = await client.GetObjectAsync(server.Bucket, key);
            await answer.ResponseStream.CopyToAsync(content);
            return content.ToArray();
        }
    }
}
