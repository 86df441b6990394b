using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Registry.Bench.Load;
using Registry.Bench.Reports;
using Registry.Bench.Servers;
using Registry.Bench.Workloads;
using Registry.Testing.Processes;

namespace Registry.Bench.Commands;

/// <summary>
/// What the registry adds to the S3 SDK: a push and a pull of 1 GiB beside a bare multipart put and get of the same
/// bytes, on the same S3 server.
/// </summary>
internal sealed class SdkCommand : Command
{
    private const long Mebi = 1024 * 1024;
    private const long Length = 1024 * Mebi;
    private const int PartBytes = (int)(8 * Mebi);

    private readonly Option<int> _rounds = new("--rounds") { Description = "Rounds.", DefaultValueFactory = _ => 3 };

    public SdkCommand()
        : base("sdk", "A push and pull of 1 GiB on S3 beside a bare multipart put and get of the same SDK.")
    {
        Options.Add(_rounds);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var s3 = await S3Server.StartAsync(inMemory: false, gigabytes: 48);
        using var server = ServerProcess.Ours(settings: s3.Settings("ours").ToDictionary(
            setting => $"Registry__Stores__default__{setting.Key}", setting => (string?)setting.Value, StringComparer.Ordinal));
        using var client = new AmazonS3Client(
            new BasicAWSCredentials(s3.AccessKey, s3.SecretKey),
            new AmazonS3Config
            {
                ServiceURL = $"{s3.Address}",
                ForcePathStyle = true,
                AuthenticationRegion = "us-east-1",
                RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
                ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            });

        var content = new byte[Length];
        var seconds = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        // The first round warms all of them up and does not count.
        for (var round = 0; round <= arguments.GetValue(_rounds); round++)
        {
            Random.Shared.NextBytes(content);
            var digest = Image.DigestOf(content);
            var key = $"bare/{round}";
            await MeasureAsync("push", round, () => Task.Run(() => Push(server.Target, content, digest), cancellationToken));
            await MeasureAsync("put, 2 parts at once", round, () => PutAsync(client, s3.Bucket, key, content, atOnce: 2));
            await MeasureAsync("put, 3 parts at once", round, () => PutAsync(client, s3.Bucket, key, content, atOnce: 3));
            await MeasureAsync("pull", round, () => Task.Run(() => Pull(server.Target, digest), cancellationToken));
            await MeasureAsync("get", round, () => GetAsync(client, s3.Bucket, key));
        }

        Console.WriteLine($"{Machine.Describe()}\n\n| 1 GiB | median (MB/s) | all rounds |\n|---|--:|---|");
        foreach (var (what, taken) in seconds)
        {
            Console.WriteLine(
                $"| {what} | {Rate(Median.Of(taken))} | {string.Join(", ", taken.Select(Rate))} |");
        }

        var put = Math.Min(Median.Of(seconds["put, 2 parts at once"]), Median.Of(seconds["put, 3 parts at once"]));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\npush {put / Median.Of(seconds["push"]):0.00} of the faster put, pull {Median.Of(seconds["get"]) / Median.Of(seconds["pull"]):0.00} of get"));
        return 0;

        async Task MeasureAsync(string what, int round, Func<Task> work)
        {
            server.Target.WaitUntilIdle();
            Surroundings.Settle();
            var clock = Stopwatch.StartNew();
            await work();
            if (round > 0)
            {
                if (!seconds.TryGetValue(what, out var taken))
                    seconds[what] = taken = [];
                taken.Add(clock.Elapsed.TotalSeconds);
            }
        }
    }

    private static string Rate(double seconds)
        => (Length / 1e6 / seconds).ToString("0", CultureInfo.InvariantCulture);

    private static void Push(Target target, byte[] content, string digest)
    {
        using var connection = new HttpConnection(target.Address);
        Image.PushBlob(target, connection, "bench/sdk", content, digest);
    }

    private static void Pull(Target target, string digest)
    {
        using var connection = new HttpConnection(target.Address);
        Check(connection.Send(HttpRequest.Of(target.Address, "GET", $"/v2/bench/sdk/blobs/{digest}"), 200));
    }

    private static async Task PutAsync(AmazonS3Client client, string bucket, string key, byte[] content, int atOnce)
    {
        var upload = await client.InitiateMultipartUploadAsync(new() { BucketName = bucket, Key = key });
        var parts = new PartETag[Length / PartBytes];
        await Parallel.ForAsync(0, parts.Length, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (part, cancellationToken) =>
        {
            using var body = new MemoryStream(content, part * PartBytes, PartBytes);
            var sent = await client.UploadPartAsync(
                new()
                {
                    BucketName = bucket, Key = key, UploadId = upload.UploadId, PartNumber = part + 1, PartSize = PartBytes,
                    InputStream = body,
                },
                cancellationToken);
            parts[part] = new(part + 1, sent.ETag);
        });
        await client.CompleteMultipartUploadAsync(
            new() { BucketName = bucket, Key = key, UploadId = upload.UploadId, PartETags = [.. parts] });
    }

    private static async Task GetAsync(AmazonS3Client client, string bucket, string key)
    {
        using var answer = await client.GetObjectAsync(bucket, key);
        var buffer = new byte[256 * 1024];
        long length = 0;
        for (int read; (read = await answer.ResponseStream.ReadAsync(buffer)) > 0;)
            length += read;
        Check(length);
    }

    private static void Check(long length)
    {
        if (length != Length)
            throw new InvalidOperationException($"{length} bytes came of {Length}.");
    }
}
