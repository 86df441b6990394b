using NSubstitute;
using Registry.Application.Manifests;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;

namespace Registry.Application.Tests.Manifests;

public sealed class PutManifestTests : IAsyncLifetime
{
    private static readonly string Json = ManifestSamples.Image();

    private readonly UseCases _registry = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task A_push_by_digest_keeps_the_algorithm_and_tags_nothing(string algorithm)
    {
        Assert.True(DigestAlgorithm.TryParse(algorithm, out var wanted));
        var digest = ManifestSamples.Digest(Json, wanted);

        var result = await _registry.GetAsync(Commands.Put(Json, reference: digest.ToString()));

        Assert.Equal(digest, result.Digest);
        Assert.Empty(result.Tags);
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task A_push_by_the_digest_of_other_content_stores_nothing(string algorithm)
    {
        Assert.True(DigestAlgorithm.TryParse(algorithm, out var wanted));
        var other = ManifestSamples.Digest(Json + "\n", wanted);

        var error = await _registry.RefusalAsync(Commands.Put(Json, reference: other.ToString()));

        Assert.Equal((OciErrorCode.DigestInvalid, ErrorReason.Invalid), (error.Code, error.Reason));
        await _registry.Manifests.DidNotReceiveWithAnyArgs().PutAsync(default!, default);
    }

    [Fact]
    public async Task A_push_by_digest_moves_the_tags_it_names_each_once()
    {
        var reference = ManifestSamples.Digest(Json).ToString();
        var result = await _registry.GetAsync(Commands.Put(Json, reference: reference, tags: ["a", "b", "a"]));
        Assert.Equal([Tag.Parse("a"), Tag.Parse("b")], result.Tags);
    }

    [Fact]
    public async Task More_tags_than_one_push_may_carry_are_refused()
    {
        var reference = ManifestSamples.Digest(Json).ToString();
        var error = await _registry.RefusalAsync(Commands.Put(Json, reference: reference, tags: ["a", "b", "c", "d"]));
        Assert.Equal(ErrorReason.TooMany, error.Reason);
        await _registry.Manifests.DidNotReceiveWithAnyArgs().PutAsync(default!, default);
    }

    [Fact]
    public async Task Every_missing_reference_is_an_error_of_its_own()
    {
        var (blob, layer, child) = (ManifestSamples.Digest("config"), ManifestSamples.Digest("layer"), ManifestSamples.Digest("child"));
        _registry.Manifests.PutAsync(default!, default).ReturnsForAnyArgs(new PutOutcome([blob, layer], [child]));

        var errors = await _registry.RefusalsAsync(Commands.Put(Json));

        Assert.All(errors, error => Assert.Equal(OciErrorCode.ManifestBlobUnknown, error.Code));
        Assert.Equal([blob.ToString(), layer.ToString(), child.ToString()], errors.Select(error => error.Detail!["digest"]));
    }

    [Fact]
    public async Task Several_faults_are_told_at_once_but_not_all_of_a_document_full_of_them()
    {
        var errors = await _registry.RefusalsAsync(Commands.Put("""{"schemaVersion":1,"config":{},"artifactType":"x"}"""));
        Assert.Equal(
            ["schemaVersion", "artifactType", "config.mediaType", "config.digest", "config.size", "layers"],
            errors.Select(error => error.Detail!["path"]));

        var annotations = string.Join(',', Enumerable.Range(0, 100).Select(i => $"\"{i}\":{i}"));
        errors = await _registry.RefusalsAsync(Commands.Put(ManifestSamples.Image(more: $",\"annotations\":{{{annotations}}}")));
        Assert.Equal(10, errors.Count);
    }

    [Fact]
    public async Task Broken_storage_is_an_exception_and_no_refusal()
    {
        var full = new StorageException(OciError.StoreFull(), new IOException("No space left on device"));
        _registry.Manifests.PutAsync(default!, default).ReturnsForAnyArgs<PutOutcome>(_ => throw full);

        var thrown = await Assert.ThrowsAsync<StorageException>(() => _registry.SendAsync(Commands.Put(Json)));

        Assert.Equal(ErrorReason.StoreFull, thrown.Error.Reason);
    }

    [Theory]
    [InlineData("v1", true, OciErrorCode.ManifestUnknown)]
    [InlineData("v1", false, OciErrorCode.NameUnknown)]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true, OciErrorCode.ManifestUnknown)]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false, OciErrorCode.NameUnknown)]
    public async Task Deleting_what_is_not_there_tells_an_unknown_manifest_from_an_unknown_repository(
        string reference, bool repositoryExists, OciErrorCode expected)
    {
        _registry.Catalog.ExistsAsync(UseCases.Repository, Arg.Any<CancellationToken>()).Returns(repositoryExists);

        var error = await _registry.RefusalAsync(Delete(reference));

        Assert.Equal((expected, ErrorReason.NotFound), (error.Code, error.Reason));
    }

    [Fact]
    public async Task Deleting_a_tag_leaves_its_manifest()
    {
        _registry.Tags.DeleteAsync(UseCases.Repository, Tag.Parse("v1"), UseCases.Alice, Arg.Any<CancellationToken>()).Returns(true);
        await _registry.GetAsync(Delete("v1"));
        await _registry.Manifests.DidNotReceiveWithAnyArgs().DeleteAsync(default!, default!, default!, default);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public async Task Nothing_is_deleted_where_deleting_is_switched_off(string reference) // S-5
    {
        _registry.Delete.Enabled = false;
        Assert.Equal(OciErrorCode.Unsupported, (await _registry.RefusalAsync(Delete(reference))).Code);
        await _registry.Manifests.DidNotReceiveWithAnyArgs().DeleteAsync(default!, default!, default!, default);
        await _registry.Tags.DidNotReceiveWithAnyArgs().DeleteAsync(default!, default!, default!, default);
    }

    private static DeleteManifestCommand Delete(string reference)
        => new(new(UseCases.Repository, UseCases.Repository.Name), Reference.Parse(reference), UseCases.Alice);
}
