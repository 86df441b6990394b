using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>The SDK's client of one bucket, and its connections.</summary>
/// <remarks>
/// The SDK reads all answers but the bytes of an object without regard to cancellation, while the cancelled call
/// already disposes of them. The connection then goes back to the pool with a read that has not ended, which swallows
/// the beginning of the next answer: somebody else's call fails, or waits until its time is up. So these answers are
/// read here, where a cancellation closes the connection, and the SDK gets them from memory.
/// </remarks>
internal sealed class S3Connections : HttpClientFactory, IDisposable
{
    // The longest of them is a list of 1,000 keys.
    private const int MaxAnswerBytes = 16 << 20;

    private readonly HttpClient _client = new(new WholeAnswers(new SocketsHttpHandler { AllowAutoRedirect = false }))
    {
        Timeout = Timeout.InfiniteTimeSpan, // each call has its own
    };

    /// <exception cref="StartRefusedException">The secret cannot be read.</exception>
    public AmazonS3Client NewClient(string store, StoreOptions options)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.ForcePathStyle ?? options.ServiceUrl is not null,
            // Checksums beyond the signature's are refused by some servers that are no AWS.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 0, // S3Calls repeats
            HttpClientFactory = this,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (options.ServiceUrl is { } url)
        {
            config.ServiceURL = url;
            config.AuthenticationRegion = options.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }

        return options.AccessKey is { Length: > 0 } key
            ? new(new BasicAWSCredentials(key, S3Secret.Read(store, options)), config)
            : new(config); // what the environment has: variables, a profile, the machine's or the pod's role
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _client.Dispose();

    private sealed class WholeAnswers(HttpMessageHandler connections) : DelegatingHandler(connections)
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            if (answer.IsSuccessStatusCode && IsForObject(request))
                return answer;
            try
            {
                await answer.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken);
                return answer;
            }
            catch
            {
                answer.Dispose();
                throw;
            }
        }

        private static bool IsForObject(HttpRequestMessage request)
            => request.Method == HttpMethod.Get && request.RequestUri!.Query.Length == 0;
    }
}
