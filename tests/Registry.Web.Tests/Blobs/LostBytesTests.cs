namespace Registry.Web.Tests.Blobs;

/// <summary>The database says that a blob is there, the store says otherwise.</summary>
public sealed class LostBytesTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private readonly string _repository = RegistryFactory.NewRepository();

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task A_blob_whose_bytes_are_gone_is_404_from_the_first_GET_on_until_it_is_pushed_again(string algorithm)
        => await HealsAsync(algorithm, _ => null);

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task A_blob_that_is_stored_too_short_is_404_without_a_200_first(string algorithm)
        => await HealsAsync(algorithm, bytes => bytes[..^1]);

    [Fact]
    public async Task A_blob_that_is_stored_too_long_is_404_without_a_200_first()
        => await HealsAsync("sha256", bytes => [.. bytes, 1]);

    [Fact]
    public async Task A_blob_that_is_stored_empty_is_404_without_a_200_first()
        => await HealsAsync("sha256", _ => []);

    [Fact]
    public async Task A_lost_blob_is_healed_for_all_its_repositories_and_not_mounted_meanwhile()
    {
        var other = RegistryFactory.NewRepository();
        var blob = await registry.Client.PushBlobAsync(_repository, TestContent.Random(1000));
        await registry.Client.PushBlobAsync(other, blob);
        await registry.DamageAsync(blob, _ => null);
        (await registry.Client.GetAsync($"/v2/{other}/blobs/{blob.Digest}")).Expect(404);

        (await registry.Client.PostAsync($"/v2/{RegistryFactory.NewRepository()}/blobs/uploads/?mount={blob.Digest}&from={other}")).Expect(202);
        await registry.Client.PushBlobAsync(_repository, blob);

        Assert.Equal(blob.Bytes, (await registry.Client.GetAsync($"/v2/{other}/blobs/{blob.Digest}")).Expect(200).Body);
    }

    [Fact]
    public async Task A_range_of_a_lost_blob_is_404_too()
    {
        var blob = await registry.Client.PushBlobAsync(_repository, TestContent.Random(1000));
        await registry.DamageAsync(blob, _ => null);

        (await registry.Client.GetAsync($"/v2/{_repository}/blobs/{blob.Digest}", ("Range", "bytes=0-9")))
            .ExpectError(404, "BLOB_UNKNOWN");
    }

    private async Task HealsAsync(string algorithm, Func<byte[], byte[]?> damage)
    {
        var blob = await registry.Client.PushBlobAsync(_repository,
            TestContent.Random(1000) with { Algorithm = algorithm });
        var path = $"/v2/{_repository}/blobs/{blob.Digest}";
        (await registry.Client.GetAsync(path)).Expect(200);

        await registry.DamageAsync(blob, damage);

        (await registry.Client.GetAsync(path)).ExpectError(404, "BLOB_UNKNOWN");
        (await registry.Client.HeadAsync(path)).Expect(404);
        await registry.Client.PushBlobAsync(_repository, blob);
        (await registry.Client.HeadAsync(path)).Expect(200);
        Assert.Equal(blob.Bytes, (await registry.Client.GetAsync(path)).Expect(200).Body);
    }
}
