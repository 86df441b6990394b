using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Repositories;

/// <summary>
/// The name of one registry of the instance, such as <c>default</c>: one component of a repository name, up to 64
/// characters. It is a key of the configuration, not part of an address.
/// </summary>
public sealed record RegistryName
{
    private RegistryName(string value) => Value = value;

    public static readonly RegistryName Default = new("default");

    public string Value { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out RegistryName? name)
    {
        name = text is { Length: <= 64 } && !text.Contains('/', StringComparison.Ordinal)
            && RepositoryName.TryParse(text, out _)
            ? new(text)
            : null;
        return name is not null;
    }

    public static RegistryName Parse(string text)
        => TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is not a registry name.");

    public override string ToString() => Value;
}
