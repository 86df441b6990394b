using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteConcurrencyTests : ConcurrencyContract<SqliteTestDatabase>;

public sealed class PostgreSqlConcurrencyTests : ConcurrencyContract<PostgreSqlTestDatabase>;

public abstract class ConcurrencyContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    [Fact]
    public async Task A_hundred_pushes_to_one_tag_all_succeed_and_it_ends_at_one_of_them()
    {
        var images = Enumerable.Range(0, 100).Select(number => Plain($"image {number}").Tagged("latest")).ToArray();

        await Task.WhenAll(images.Select(image => Task.Run(() => PushAsync(image))));

        var end = (await FindAsync("latest"))!.Digest.ToString();
        var history = await HistoryAsync("latest");
        Assert.Equal(images.Select(image => image.Digest.ToString()).Order(), history.Order());
        Assert.Equal(end, history[^1]);
        Assert.Equal("100", await CountsAsync("manifests"));
    }

    [Fact]
    public async Task Two_hundred_first_pushes_make_one_repository()
    {
        var pushes = Enumerable.Range(0, 200).Select(number => Task.Run(() => number % 2 == 0
            ? PushBlobAsync($"blob {number}") as Task
            : PushAsync(Plain($"image {number}"))));

        await Task.WhenAll(pushes);

        Assert.Equal("1 100 100", await CountsAsync("repositories", "repository_blobs", "manifests"));
    }

    [Fact]
    public async Task The_same_blob_from_many_clients_is_one_blob()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => Task.Run(() => PushBlobAsync("layer", Repository($"r{number % 10}")))));
        Assert.Equal("10 1 10", await CountsAsync("repositories", "blobs", "repository_blobs"));
    }

    [Fact]
    public async Task A_tag_that_is_moved_and_deleted_at_once_has_a_history_without_gaps()
    {
        var work = Enumerable.Range(0, 60).Select(number => Task.Run(() => number % 3 == 0
            ? Tags.DeleteAsync(App, Domain.Manifests.Tag.Parse("latest"), Alice, CancellationToken.None) as Task
            : PushAsync(Plain($"image {number}").Tagged("latest"))));

        await Task.WhenAll(work);

        var history = await HistoryAsync("latest");
        Assert.Equal((await FindAsync("latest"))?.Digest.ToString(), history[^1]);
        Assert.All(history.Zip(history.Skip(1)), step => Assert.NotEqual(step.First, step.Second));
        Assert.Equal(40, history.Count(digest => digest is not null));
    }
}
