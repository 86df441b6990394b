using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Registry.Application.Access;

/// <summary>
/// A name with claims in it, such as <c>{namespace}/{name}</c>. Two sets of claims never make one name: a claim that
/// has in it the text which stands behind it in the template makes none.
/// </summary>
public sealed class WorkloadName
{
    private readonly string _begin;
    private readonly (string Claim, string Behind)[] _parts;

    private WorkloadName(string begin, (string Claim, string Behind)[] parts) => (_begin, _parts) = (begin, parts);

    /// <exception cref="FormatException">It is no template; the message says what is wrong with it.</exception>
    public static WorkloadName Parse(string text)
    {
        var pieces = text.Split('{');
        if (pieces.Length < 2)
            throw new FormatException("has no claim in braces: all workloads would be one");
        var parts = new List<(string Claim, string Behind)>();
        for (var i = 1; i < pieces.Length; i++)
        {
            if (pieces[i].Split('}') is not [{ Length: > 0 } claim, var behind])
                throw new FormatException("has braces that do not enclose the name of a claim");
            if (behind.Length == 0 && i < pieces.Length - 1)
                throw new FormatException("has two claims with nothing between them");
            parts.Add((claim, behind));
        }

        return pieces[0].Contains('}', StringComparison.Ordinal)
            ? throw new FormatException("has braces that do not enclose the name of a claim")
            : new(pieces[0], [.. parts]);
    }

    public bool TryFill(Func<string, string?> claims, [NotNullWhen(true)] out string? name)
    {
        name = null;
        var filled = new StringBuilder(_begin);
        for (var i = 0; i < _parts.Length; i++)
        {
            var (claim, behind) = _parts[i];
            if (claims(claim) is not { Length: > 0 } value
                || (i < _parts.Length - 1 && value.Contains(behind, StringComparison.Ordinal)))
                return false;
            filled.Append(value).Append(behind);
        }

        name = filled.ToString();
        return true;
    }
}
