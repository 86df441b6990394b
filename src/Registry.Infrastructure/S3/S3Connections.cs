using Amazon.Runtime;

namespace Registry.Infrastructure.S3;

/// <summary>The connections of one bucket's client.</summary>
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
