using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Enumeration;
using Registry.Domain.Access;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// What never leaves a cache: <c>REPOSITORY</c>, all of the repositories that the pattern fits, or
/// <c>REPOSITORY:TAG</c>, what their tags name that the second one fits, in which <c>*</c> stands for any characters.
/// </summary>
public sealed class CachePin
{
    private static readonly SearchValues<char> Allowed
        = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-*");

    private readonly RepositoryGlob _repositories;
    private readonly string? _tags;

    private CachePin(RepositoryGlob repositories, string? tags) => (_repositories, _tags) = (repositories, tags);

    public static bool TryParse(string? text, [NotNullWhen(true)] out CachePin? pin)
    {
        var parts = (text ?? "").Split(':');
        var valid = RepositoryGlob.TryParse(parts[0], out var repositories)
            && parts is [_] or [_, { Length: > 0 and <= Tag.MaxLength }]
            && (parts.Length == 1 || !parts[1].AsSpan().ContainsAnyExcept(Allowed));
        pin = valid ? new(repositories!, parts.ElementAtOrDefault(1)) : null;
        return pin is not null;
    }

    /// <param name="tags">Those that name what is in question.</param>
    public bool Holds(RepositoryName repository, IReadOnlyList<string> tags)
        => _repositories.Matches(repository.Value)
            && (_tags is null
                || tags.Any(tag => FileSystemName.MatchesSimpleExpression(_tags, tag, ignoreCase: false)));
}
