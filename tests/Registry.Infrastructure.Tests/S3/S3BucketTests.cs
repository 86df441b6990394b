using Registry.Infrastructure.S3;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

/// <summary>Calls that share connections.</summary>
[Collection(nameof(S3Servers))]
public sealed class S3BucketTests : IDisposable
{
    private const int Keys = 40;

    private readonly S3Place _place = new(SharedS3.Server);

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_call_that_is_given_up_does_no_harm_to_those_that_use_its_connection_next()
    {
        var options = _place.Options;
        options.Timeout = TimeSpan.FromSeconds(5);
        using var bucket = new S3Bucket("cloud", options, TimeProvider.System);
        for (var key = 0; key < Keys; key++)
            await bucket.PutAsync($"keys/{key:00}", () => new MemoryStream("x"u8.ToArray()), CancellationToken.None);

        await Task.WhenAll(Enumerable.Range(0, 12).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var round = 0; round < 60; round++)
            {
                // Often between the head of an answer and its body, which this server sends 40 ms later.
                using var soon = new CancellationTokenSource(random.Next(60));
                await GiveUpAsync(async () => await ListAsync(soon.Token));
                await GiveUpAsync(async () => await bucket.ReadOnceAsync("none", soon.Token));
                Assert.Null(await bucket.ReadOnceAsync("none", CancellationToken.None)); // without a second try
                Assert.Equal(Keys, await ListAsync(CancellationToken.None));
            }
        })));

        async Task<int> ListAsync(CancellationToken cancellationToken)
        {
            var count = 0;
            await foreach (var _ in bucket.ListAsync("keys/", cancellationToken))
                count++;
            return count;
        }
    }

    private static async Task GiveUpAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (OperationCanceledException)
        {
            // as was asked for
        }
    }
}
