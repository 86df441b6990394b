using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

[Collection(nameof(RunningRegistry))]
public sealed class CosignTests(RunningRegistry registry) : IDisposable
{
    private static readonly string[] PlainHttp = ["--allow-insecure-registry", "--allow-http-registry"];

    private readonly ClientWorkspace _work = new();

    public void Dispose() => _work.Dispose();

    [ClientFact("cosign", "skopeo")]
    public async Task Cosign_signs_by_tag_and_verifies()
    {
        var (name, image) = await PushSignableAsync();

        await _work.RunAsync("cosign", ["sign", "--yes", "--key", "cosign.key", "--tlog-upload=false", .. PlainHttp, image]);
        var verified = await VerifyAsync("cosign.pub", image);

        Assert.True(verified.Succeeded, verified.Error);
        var digest = image[(image.IndexOf('@') + 1)..];
        Assert.NotNull(await registry.DigestOfAsync(name, $"{digest.Replace(':', '-')}.sig"));
    }

    [ClientFact("cosign", "skopeo")]
    public async Task Cosign_signs_by_referrer_and_verifies()
    {
        var (name, image) = await PushSignableAsync();

        await _work.RunAsync(
            "cosign",
            [
                "sign", "--yes", "--key", "cosign.key", "--tlog-upload=false",
                "--registry-referrers-mode=oci-1-1", .. PlainHttp, image,
            ]);
        var verified = await VerifyAsync("cosign.pub", image, "--experimental-oci11");

        Assert.True(verified.Succeeded, verified.Error);
        var digest = image[(image.IndexOf('@') + 1)..];
        Assert.Null(await registry.DigestOfAsync(name, $"{digest.Replace(':', '-')}.sig"));
    }

    [ClientFact("cosign", "skopeo")]
    public async Task Cosign_refuses_an_image_that_nobody_signed()
    {
        var (_, image) = await PushSignableAsync();

        var verified = await VerifyAsync("cosign.pub", image);

        Assert.False(verified.Succeeded);
        Assert.Contains("no signatures found", verified.Error, StringComparison.Ordinal);
    }

    [ClientFact("cosign", "skopeo")]
    public async Task Cosign_refuses_a_signature_of_another_key()
    {
        var (_, image) = await PushSignableAsync();
        await _work.RunAsync("cosign", ["sign", "--yes", "--key", "cosign.key", "--tlog-upload=false", .. PlainHttp, image]);
        await _work.RunAsync("cosign", "generate-key-pair", "--output-key-prefix", "other");

        var verified = await VerifyAsync("other.pub", image);

        Assert.False(verified.Succeeded);
    }

    private async Task<(string Repository, string Image)> PushSignableAsync()
    {
        var layout = _work.Folder("layout");
        var image = new ImageLayout(layout).AddImage("one", "amd64", 10_000);
        var name = registry.NewRepository("cosign");
        await _work.RunAsync("cosign", "generate-key-pair");
        await _work.RunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{layout}:one", $"docker://{registry.Host}/{name}:one");
        return (name, $"{registry.Host}/{name}@{image.Digest}");
    }

    private Task<CommandResult> VerifyAsync(string publicKey, string image, params string[] options)
        => _work.TryRunAsync(
            "cosign", ["verify", "--key", publicKey, "--insecure-ignore-tlog", .. options, .. PlainHttp, image]);
}
