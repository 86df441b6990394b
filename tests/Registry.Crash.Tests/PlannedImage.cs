using Registry.Testing.Processes;

namespace Registry.Crash.Tests;

/// <summary>An image to push, and how.</summary>
internal sealed record PlannedImage(
    string Repository, string Tag, PushWay Way, GeneratedContent Config, GeneratedContent[] Layers)
{
    public async Task PushAsync(PlainClient client, PushLedger ledger, Action? confirmed = null)
    {
        foreach (var blob in (GeneratedContent[])[Config, .. Layers])
        {
            await ledger.BlobAsync(Repository, blob, () => client.PushAsync(Repository, blob, Way));
            confirmed?.Invoke();
        }

        var manifest = PlainClient.Manifest(Config, Layers);
        await ledger.ManifestAsync(
            Repository, Tag, ImageLayout.DigestOf(manifest), manifest,
            () => client.PutManifestAsync(Repository, Tag, manifest));
        confirmed?.Invoke();
    }
}
