using System.Text.Json;
using System.Text.Unicode;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;

namespace Registry.Application.Manifests.Reading;

/// <summary>
/// A manifest as it was written, before anybody judged it: members that are absent are null, members of the wrong JSON
/// kind are listed as problems under their path.
/// </summary>
internal sealed class ManifestDocument
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly List<ManifestProblem> _problems = [];

    public IReadOnlyList<ManifestProblem> Problems => _problems;

    public long? SchemaVersion { get; private set; }

    public string? MediaType { get; private set; }

    public string? ArtifactType { get; private set; }

    public DescriptorDocument? Config { get; private set; }

    public IReadOnlyList<DescriptorDocument>? Layers { get; private set; }

    public IReadOnlyList<DescriptorDocument>? Manifests { get; private set; }

    public DescriptorDocument? Subject { get; private set; }

    /// <summary>The annotations' JSON as written.</summary>
    public string? Annotations { get; private set; }

    /// <summary>Has the layers of Docker's schema 1, which neither an image nor an index has.</summary>
    public bool LooksLikeSchema1 { get; private set; }

    public static ManifestDocument Read(ReadOnlyMemory<byte> content)
    {
        var document = new ManifestDocument();
        if (content.IsEmpty)
        {
            document._problems.Add(new("", "is empty"));
            return document;
        }

        if (!Utf8.IsValid(content.Span))
        {
            document._problems.Add(new("", "is not UTF-8"));
            return document;
        }

        try
        {
            using var json = JsonDocument.Parse(content, Strict);
            new JsonReading(document._problems).Read(json.RootElement, document);
        }
        catch (JsonException e)
        {
            document._problems.Add(new("", e.Message.Contains("uplicate", StringComparison.Ordinal)
                ? "has a member twice"
                : $"is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})"));
        }
        catch (InvalidOperationException)
        {
            document._problems.Add(new("", "is not valid JSON: a string holds half a surrogate pair"));
        }

        return document;
    }

    /// <summary>The facts of a document that has passed validation.</summary>
    public Manifest ToManifest(MediaType? contentType)
    {
        var mediaType = contentType ?? Domain.Manifests.MediaType.Parse(MediaType!);
        var artifactType = string.IsNullOrEmpty(ArtifactType) ? null : Domain.Manifests.MediaType.Parse(ArtifactType);
        if (Manifests is { } children)
        {
            return new ImageIndex([.. children.Select(child => child.ToDescriptor())], artifactType)
            {
                MediaType = mediaType,
                Subject = Subject?.ToDescriptor(),
                Annotations = Annotations,
            };
        }

        return new ImageManifest(
            Config!.ToDescriptor(), [.. Layers!.Select(layer => layer.ToDescriptor())], artifactType)
        {
            MediaType = mediaType,
            Subject = Subject?.ToDescriptor(),
            Annotations = Annotations,
        };
    }

    /// <summary>Walks the JSON once and notes what has the wrong kind.</summary>
    private sealed class JsonReading(List<ManifestProblem> problems)
    {
        public void Read(JsonElement root, ManifestDocument into)
        {
            if (root.ValueKind != JsonValueKind.Object)
            {
                problems.Add(new("", "is not a JSON object"));
                return;
            }

            foreach (var member in root.EnumerateObject())
            {
                var value = member.Value;
                switch (member.Name)
                {
                    case "schemaVersion": into.SchemaVersion = Integer(value, "schemaVersion"); break;
                    case "mediaType": into.MediaType = Text(value, "mediaType"); break;
                    case "artifactType": into.ArtifactType = Text(value, "artifactType"); break;
                    case "config": into.Config = Descriptor(value, "config"); break;
                    case "layers": into.Layers = Descriptors(value, "layers"); break;
                    case "manifests": into.Manifests = Descriptors(value, "manifests"); break;
                    case "subject" when value.ValueKind != JsonValueKind.Null:
                        into.Subject = Descriptor(value, "subject");
                        break;
                    case "annotations" when value.ValueKind != JsonValueKind.Null:
                        into.Annotations = TextMap(value, "annotations") ? value.GetRawText() : null;
                        break;
                    case "fsLayers": into.LooksLikeSchema1 = true; break;
                }
            }
        }

        private List<DescriptorDocument>? Descriptors(JsonElement value, string path)
        {
            if (!Is(value, JsonValueKind.Array, path, "an array"))
                return null;
            var list = new List<DescriptorDocument>(value.GetArrayLength());
            foreach (var item in value.EnumerateArray())
            {
                if (Descriptor(item, $"{path}[{list.Count}]") is not { } descriptor)
                    break; // what follows could not be named by its index any more
                list.Add(descriptor);
            }

            return list;
        }

        private DescriptorDocument? Descriptor(JsonElement value, string path)
        {
            if (!Is(value, JsonValueKind.Object, path, "an object"))
                return null;

            var descriptor = new DescriptorDocument();
            foreach (var member in value.EnumerateObject())
            {
                switch (member.Name)
                {
                    case "mediaType": descriptor.MediaType = Text(member.Value, $"{path}.mediaType"); break;
                    case "digest": descriptor.Digest = Text(member.Value, $"{path}.digest"); break;
                    case "size": descriptor.Size = Integer(member.Value, $"{path}.size"); break;
                    case "artifactType": descriptor.ArtifactType = Text(member.Value, $"{path}.artifactType"); break;
                    case "data": descriptor.Data = Text(member.Value, $"{path}.data"); break;
                    case "urls" when member.Value.ValueKind != JsonValueKind.Null:
                        TextArray(member.Value, $"{path}.urls");
                        break;
                    case "annotations" when member.Value.ValueKind != JsonValueKind.Null:
                        TextMap(member.Value, $"{path}.annotations");
                        break;
                    case "platform" when member.Value.ValueKind != JsonValueKind.Null:
                        Platform(member.Value, $"{path}.platform");
                        break;
                }
            }

            return descriptor;
        }

        private void Platform(JsonElement value, string path)
        {
            if (!Is(value, JsonValueKind.Object, path, "an object"))
                return;
            foreach (var member in value.EnumerateObject())
            {
                switch (member.Name)
                {
                    case "architecture" or "os" or "os.version" or "variant":
                        Text(member.Value, $"{path}.{member.Name}");
                        break;
                    case "os.features" when member.Value.ValueKind != JsonValueKind.Null:
                        TextArray(member.Value, $"{path}.{member.Name}");
                        break;
                }
            }
        }

        private string? Text(JsonElement value, string path)
            => Is(value, JsonValueKind.String, path, "a string") ? value.GetString() : null;

        private long? Integer(JsonElement value, string path)
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number))
                return number;
            problems.Add(new(path, "is not a whole number"));
            return null;
        }

        private void TextArray(JsonElement value, string path)
        {
            if (!Is(value, JsonValueKind.Array, path, "an array"))
                return;
            var index = 0;
            foreach (var item in value.EnumerateArray())
                Text(item, $"{path}[{index++}]");
        }

        private bool TextMap(JsonElement value, string path)
        {
            if (!Is(value, JsonValueKind.Object, path, "an object"))
                return false;
            var valid = true;
            foreach (var member in value.EnumerateObject())
                valid &= Text(member.Value, $"{path}['{OciError.Shorten(member.Name)}']") is not null;
            return valid;
        }

        private bool Is(JsonElement value, JsonValueKind kind, string path, string what)
        {
            if (value.ValueKind == kind)
                return true;
            problems.Add(new(path, $"is not {what}"));
            return false;
        }
    }
}

/// <param name="Path">JSON path of the member at fault; empty for the whole document.</param>
internal sealed record ManifestProblem(string Path, string Text);
