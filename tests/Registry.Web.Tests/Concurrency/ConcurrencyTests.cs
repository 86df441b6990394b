namespace Registry.Web.Tests.Concurrency;

public sealed class ConcurrencyTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private readonly RegistryClient _client = registry.Client;
    private readonly string _repository = RegistryFactory.NewRepository();

    [Fact]
    public async Task Of_two_chunks_sent_to_one_session_at_once_one_is_taken_and_the_other_is_416()
    {
        for (var round = 0; round < 10; round++)
        {
            var blob = TestContent.Random(200_000);
            var location = await _client.StartUploadAsync(_repository);

            var answers = await Task.WhenAll(Enumerable.Range(0, 2)
                .Select(_ => _client.PatchChunkAsync(location, blob.Bytes, 0, 100_000)));

            Assert.Equal([202, 416], answers.Select(answer => answer.Status).Order());
            (await _client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-99999");
            (await _client.CloseAsync(location, blob.Digest, blob.Bytes[100_000..])).Expect(201);
            Assert.Equal(blob.Bytes, (await _client.GetAsync($"/v2/{_repository}/blobs/{blob.Digest}")).Expect(200)
                .Body);
        }
    }

    [Fact]
    public async Task Of_two_streams_to_one_session_at_once_none_is_mixed_into_the_other()
    {
        for (var round = 0; round < 10; round++)
        {
            var (first, second) = (TestContent.Random(300_000), TestContent.Random(300_000));
            var location = await _client.StartUploadAsync(_repository);

            var answers = await Task.WhenAll(_client.PatchAsync(location, first.Bytes),
                _client.PatchAsync(location, second.Bytes));

            byte[] whole = (answers[0].Expect(202, 416).Status, answers[1].Expect(202, 416).Status) switch
            {
                (202, 416) => first.Bytes,
                (416, 202) => second.Bytes,
                // One after the other: in the order in which they were taken.
                (202, 202) when answers[0].Header("Range") == "0-299999" => [.. first.Bytes, .. second.Bytes],
                (202, 202) => [.. second.Bytes, .. first.Bytes],
                var statuses => throw new InvalidOperationException($"Neither was taken: {statuses}"),
            };
            (await _client.CloseAsync(location, new TestContent(whole).Digest)).Expect(201);
        }
    }

    [Fact]
    public async Task Of_two_closes_at_once_one_is_201_and_the_blob_is_there()
    {
        for (var round = 0; round < 10; round++)
        {
            var blob = TestContent.Random(50_000);
            var location = (await _client.PatchAsync(await _client.StartUploadAsync(_repository), blob.Bytes))
                .Expect(202).Location;

            var answers = await Task.WhenAll(_client.CloseAsync(location, blob.Digest),
                _client.CloseAsync(location, blob.Digest));

            Assert.Single(answers, answer => answer.Status == 201);
            Assert.All(answers, answer => answer.Expect(201, 404, 416));
            Assert.Equal(blob.Bytes, (await _client.GetAsync($"/v2/{_repository}/blobs/{blob.Digest}")).Expect(200)
                .Body);
        }
    }

    [Fact]
    public async Task A_cancel_beside_a_chunk_ends_the_session_whatever_the_chunk_became()
    {
        for (var round = 0; round < 10; round++)
        {
            var blob = TestContent.Random(200_000);
            var location = await _client.StartUploadAsync(_repository);

            var patch = _client.PatchAsync(location, blob.Bytes);
            var cancel = _client.DeleteAsync(location);

            (await patch).Expect(202, 404);
            (await cancel).Expect(204);
            (await _client.GetAsync(location)).Expect(404);
        }
    }

    [Fact]
    public async Task Fifty_pushes_of_one_tag_at_once_all_succeed_and_one_of_them_is_the_tag()
    {
        var manifests = new List<TestContent>();
        for (var i = 0; i < 50; i++)
            manifests.Add(ManifestBuilder.Index().Annotation("n", $"{i}").Build());

        var answers = await Task.WhenAll(manifests.Select(manifest
            => _client.PutManifestAsync(_repository, "latest", manifest)));

        Assert.All(answers, answer => answer.Expect(201));
        var tag = await _client.GetAsync($"/v2/{_repository}/manifests/latest");
        Assert.Contains(manifests, manifest => manifest.Digest == tag.Header("Docker-Content-Digest")
            && manifest.Bytes.SequenceEqual(tag.Body));
        foreach (var manifest in manifests)
            (await _client.HeadAsync($"/v2/{_repository}/manifests/{manifest.Digest}")).Expect(200);
        Assert.Equal(1, (await _client.GetAsync($"/v2/{_repository}/tags/list"))
            .Json.GetProperty("tags").GetArrayLength());
    }

    [Fact]
    public async Task First_pushes_into_one_new_repository_at_once_all_succeed()
    {
        var images = await Task.WhenAll(Enumerable.Range(0, 12)
            .Select(i => _client.PushImageAsync(_repository, $"v{i:00}")));

        for (var i = 0; i < images.Length; i++)
            Assert.Equal(images[i].Bytes, (await _client.GetAsync($"/v2/{_repository}/manifests/v{i:00}")).Expect(200)
                .Body);
        Assert.Equal(12, (await _client.GetAsync($"/v2/{_repository}/tags/list"))
            .Json.GetProperty("tags").GetArrayLength());
    }

    [Fact]
    public async Task One_image_pushed_by_many_at_once_is_there_for_each_at_every_step()
    {
        var (config, layer) = (TestContent.Config(), TestContent.Layer(100_000));
        var manifest = ManifestBuilder.Image(config, layer).Build();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            foreach (var blob in new[] { config, layer })
            {
                (await _client.HeadAsync($"/v2/{_repository}/blobs/{blob.Digest}")).Expect(200, 404);
                await _client.PushBlobAsync(_repository, blob);
                (await _client.HeadAsync($"/v2/{_repository}/blobs/{blob.Digest}")).Expect(200);
            }

            await _client.PushManifestAsync(_repository, $"v{i}", manifest);
            (await _client.HeadAsync($"/v2/{_repository}/manifests/v{i}")).Expect(200);
        }));
    }

    [Fact]
    public async Task Deletes_beside_pushes_of_one_tag_never_fail()
        => await Task.WhenAll(
            Task.Run(async () =>
            {
                for (var i = 0; i < 30; i++)
                    (await _client.PutManifestAsync(_repository, "v1",
                        ManifestBuilder.Index().Annotation("n", $"{i}").Build())).Expect(201);
            }),
            Task.Run(async () =>
            {
                for (var i = 0; i < 30; i++)
                    (await _client.DeleteAsync($"/v2/{_repository}/manifests/v1")).Expect(202, 404);
            }));
}
