using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>An image with a layer that fits into no buffers of a proxy; made when it is first used.</summary>
public sealed class LargeImage : IDisposable
{
    public const int LayerBytes = 220_000_000;

    private readonly WorkFolder _folder = new("large");
    private readonly Lazy<string> _layout;

    public LargeImage() => _layout = new(Make);

    /// <summary>The folder of an OCI layout, which has the image under the tag <c>one</c>.</summary>
    public string Layout => _layout.Value;

    public static string[] BlobNames(string layout)
        => [.. Directory.EnumerateFiles(Path.Combine(layout, "blobs/sha256")).Select(f => Path.GetFileName(f)).Order()];

    public void Dispose() => _folder.Dispose();

    private string Make()
    {
        var layout = _folder.Folder("layout");
        new ImageLayout(layout).AddImage("one", "amd64", LayerBytes, 10_000);
        return layout;
    }
}
