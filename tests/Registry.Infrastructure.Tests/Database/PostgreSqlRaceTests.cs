using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Application.GarbageCollection;
using Registry.Application.Manifests;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Infrastructure.Database;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Two nodes on one database, which do to the same rows what they like.</summary>
public sealed class PostgreSqlRaceTests : IAsyncLifetime
{
    private static readonly Leases Leases = new(new GarbageCollectionOptions());

    private readonly string _schema = $"test_{Guid.NewGuid():N}";
    private Node[] _nodes = [];

    public async Task InitializeAsync() => _nodes = [await Node.StartAsync(_schema), await Node.StartAsync(_schema)];

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await SharedPostgreSql.DropSchemaAsync(_schema);
    }

    [Fact]
    public async Task Tags_manifests_and_their_history_agree_after_any_mixture_of_moves_and_deletes()
    {
        var images = Enumerable.Range(0, 5).Select(number => Plain($"image {number}")).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var (random, node) = (new Random(worker), _nodes[worker % 2]);
            for (var step = 0; step < 50; step++)
            {
                var (image, tag) = (images[random.Next(images.Length)], $"v{random.Next(3)}");
                switch (random.Next(6))
                {
                    case 0:
                        await node.Tags.DeleteAsync(App, Tag.Parse(tag), Alice, CancellationToken.None);
                        break;
                    case 1:
                        await node.Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None);
                        break;
                    case 2:
                        await node.PutAsync(image.Tagged("v2", "v0", "v1"));
                        break;
                    default:
                        await node.PutAsync(image.Tagged(tag));
                        break;
                }
            }
        })));

        foreach (var tag in new[] { "v0", "v1", "v2" })
        {
            var end = (await _nodes[0].Manifests.FindAsync(App, Tag.Parse(tag), CancellationToken.None))?.Digest;
            Assert.Equal(end, (await _nodes[1].Manifests.FindAsync(App, Tag.Parse(tag), CancellationToken.None))?.Digest);
            var history = await _nodes[0].QueryAsync<byte[]?>("SELECT digest FROM tag_history WHERE tag = @tag ORDER BY id", new { tag });
            Assert.Equal(end, history[^1]?.ToDigest());
            Assert.All(history.Zip(history.Skip(1)), step => Assert.NotEqual(step.First?.ToDigest(), step.Second?.ToDigest()));
        }

        Assert.Empty(await _nodes[0].QueryAsync<string>(
            "SELECT name FROM tags t WHERE NOT EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = t.repository_id AND m.digest = t.digest)"));
        // Whoever works the notes off finds each that ever changed.
        Assert.Equal(
            ["v0", "v1", "v2"],
            (await _nodes[1].Outbox.ReadAsync(0, 100, CancellationToken.None)).Where(note => note.Tag is not null).Select(note => note.Tag).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Manifests_that_share_everything_are_put_and_deleted_side_by_side()
    {
        string[] layers = [.. Enumerable.Range(0, 30).Select(number => $"layer {number}")];
        foreach (var layer in layers)
            await _nodes[0].Links.AddAsync(App, Blob(layer), session: null, CancellationToken.None);
        NewManifest[] images =
        [
            .. Enumerable.Range(0, 6).Select(number =>
            {
                string[] mixed = [.. layers];
                new Random(number).Shuffle(mixed);
                return Image($"image {number}", mixed).Tagged($"v{number}");
            }),
        ];

        await Task.WhenAll(images.Select((image, number) => Task.Run(async () =>
        {
            var node = _nodes[number % 2];
            for (var round = 0; round < 10; round++)
            {
                await node.PutAsync(image);
                await node.Links.AddAsync(App, Blob(layers[round]), session: null, CancellationToken.None);
                Assert.True(await node.Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None));
            }
        })));

        Assert.Equal([0L], await _nodes[0].QueryAsync<long>("SELECT (SELECT COUNT(*) FROM manifest_blobs) + (SELECT COUNT(*) FROM tags)"));
    }

    [Fact]
    public async Task A_blob_that_was_promised_is_never_taken_away_and_one_that_was_taken_is_never_promised()
    {
        var (promised, taken) = (0, 0);
        for (var round = 0; round < 60; round++)
        {
            var blob = Blob($"layer {round}");
            await _nodes[0].Links.AddAsync(App, blob, session: null, CancellationToken.None);

            var sweep = Task.Run(async () =>
            {
                await _nodes[1].Links.RemoveAsync(App, blob.Digest, CancellationToken.None);
                return await ClaimAsync(_nodes[1], blob.Digest);
            });
            var mount = Task.Run(() => _nodes[0].Links.MountAsync(App, Other, blob.Digest, "main", CancellationToken.None));
            var put = Task.Run(async () => !(await _nodes[0].Manifests.PutAsync(Image($"image {round}", $"layer {round}"), CancellationToken.None)).IsRefused);
            await Task.WhenAll(sweep, mount, put);

            Assert.False(await mount && await sweep, "A blob was mounted and taken away.");
            Assert.Equal(await mount, await _nodes[1].Links.FindAsync(Other, blob.Digest, CancellationToken.None) is not null);
            promised += await mount ? 1 : 0;
            taken += await sweep ? 1 : 0;
        }

        Assert.True(promised > 0 && taken > 0, $"{promised} mounts won, {taken} sweeps.");
    }

    [Fact]
    public async Task A_blob_that_is_pushed_again_while_it_is_taken_away_is_there()
    {
        for (var round = 0; round < 40; round++)
        {
            var blob = Blob($"layer {round}");
            await _nodes[0].Links.AddAsync(App, blob, session: null, CancellationToken.None);
            await _nodes[0].Links.RemoveAsync(App, blob.Digest, CancellationToken.None);
            var sweep = Task.Run(() => ClaimAsync(_nodes[1], blob.Digest));
            await _nodes[0].Links.AddAsync(Other, blob with { Location = "elsewhere" }, session: null, CancellationToken.None);
            await sweep;
            Assert.Equal("elsewhere", (await _nodes[1].Links.FindAsync(Other, blob.Digest, CancellationToken.None))?.Location);
        }
    }

    [Fact]
    public async Task First_pushes_on_both_nodes_make_one_repository_each()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => Task.Run(() => number % 2 == 0
            ? _nodes[0].PutAsync(Plain($"image {number}").In(Repository($"r{number % 7}")))
            : _nodes[1].Links.AddAsync(Repository($"r{number % 7}"), Blob($"blob {number}"), session: null, CancellationToken.None))));
        Assert.Equal([7L], await _nodes[0].QueryAsync<long>("SELECT COUNT(*) FROM repositories"));
    }

    [Fact]
    public async Task Notes_are_worked_off_by_both_nodes_and_the_copies_end_as_the_database_says()
    {
        var copies = new System.Collections.Concurrent.ConcurrentDictionary<string, Digest?>();
        using var end = new CancellationTokenSource();
        var worked = new int[2];
        var workers = _nodes.Select((node, number) => Task.Run(async () =>
        {
            var random = new Random(number);
            while (true)
            {
                var finished = end.IsCancellationRequested;
                var notes = await node.Outbox.ReadAsync(0, 5, CancellationToken.None);
                if (notes.Count == 0 && finished)
                    return;
                var mine = await node.Outbox.ClaimAsync(notes, CancellationToken.None);
                foreach (var note in mine.Where(note => note.Tag is not null))
                {
                    await Task.Delay(random.Next(4)); // a store is slow, and slower at one time than at another
                    copies[note.Tag!] = note.Digest;
                    worked[number]++;
                }

                await node.Outbox.RemoveAsync(mine, CancellationToken.None);
            }
        })).ToArray();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(pusher => Task.Run(async () =>
        {
            for (var step = 0; step < 40; step++)
                await _nodes[pusher % 2].PutAsync(Plain($"image {pusher} {step}").Tagged($"v{step % 5}"));
        })));
        await end.CancelAsync();
        await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(60));

        foreach (var (tag, digest) in copies)
            Assert.Equal((await _nodes[0].Manifests.FindAsync(App, Tag.Parse(tag), CancellationToken.None))!.Digest, digest);
        Assert.All(worked, count => Assert.NotEqual(0, count));
    }

    [Fact]
    public async Task A_node_whose_clock_is_wrong_counts_like_the_others()
    {
        var (ahead, behind) = (new ManualTime(), new ManualTime());
        ahead.Advance(DateTimeOffset.UtcNow.AddDays(2) - ahead.Now);
        behind.Advance(DateTimeOffset.UtcNow.AddDays(-2) - behind.Now);
        var (first, second) = (new UploadSessions(_nodes[0].Database, ahead), new UploadSessions(_nodes[1].Database, behind));
        var (kept, brief) = (Session(ahead.Now.AddHours(1)), Session(behind.Now.AddSeconds(1)));
        await first.StartAsync(kept, CancellationToken.None);
        await second.StartAsync(brief, CancellationToken.None);
        await _nodes[0].Links.AddAsync(App, Blob("layer"), session: null, CancellationToken.None);

        Assert.NotNull(await second.FindAsync(App, kept.Id, CancellationToken.None));
        Assert.NotNull(await first.FindAsync(App, brief.Id, CancellationToken.None));
        await Task.Delay(1200);
        Assert.Equal(brief.Id, Assert.Single(await first.ListExpiredAsync(10, CancellationToken.None)).Id);
        Assert.Null(await second.FindAsync(App, brief.Id, CancellationToken.None));

        var left = (await _nodes[0].QueryAsync<long>("SELECT lease FROM repository_blobs"))[0] - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Assert.InRange(left, Leases.Full - 60_000, Leases.Full + 60_000);
    }

    /// <summary>As a sweep takes a blob: its row locked first, then looked at, then marked.</summary>
    private static Task<bool> ClaimAsync(Node node, Digest digest)
        => node.Database.WriteAsync(
            async session =>
            {
                var row = new { digest = digest.ToColumn() };
                await session.Connection.ExecuteAsync("SELECT FROM blobs WHERE digest = @digest FOR UPDATE", row);
                return await session.Connection.ExecuteAsync(
                    """
                    UPDATE blobs SET state = 'deleting' WHERE digest = @digest AND state = 'present'
                        AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.digest = @digest)
                    """,
                    row) > 0;
            },
            durable: true,
            CancellationToken.None);

    private sealed class Node : IAsyncDisposable
    {
        private Node(PostgreSqlDatabase database)
        {
            Database = database;
            Outbox = new(database);
            Links = new(database, Leases);
            Manifests = new(database, Leases, Outbox);
            Tags = new(database, Leases, Outbox);
        }

        public PostgreSqlDatabase Database { get; }

        public ManifestOutbox Outbox { get; }

        public BlobLinks Links { get; }

        public ManifestIndex Manifests { get; }

        public TagIndex Tags { get; }

        public static async Task<Node> StartAsync(string schema)
        {
            var database = new PostgreSqlDatabase(await SharedPostgreSql.UseSchemaAsync(schema), new(), NullLogger<PostgreSqlDatabase>.Instance);
            await database.OpenAsync(CancellationToken.None);
            return new(database);
        }

        public async Task PutAsync(NewManifest manifest)
            => Assert.False((await Manifests.PutAsync(manifest, CancellationToken.None)).IsRefused);

        public Task<List<T>> QueryAsync<T>(string sql, object? values = null)
            => Database.ReadAsync(async session => (await session.Connection.QueryAsync<T>(sql, values)).AsList(), CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            Outbox.Dispose();
            await Database.DisposeAsync();
        }
    }
}
