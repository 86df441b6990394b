using System.Collections;

namespace Registry.Web.Requests;

/// <summary>Marks whatever is logged on behalf of a request with its id.</summary>
internal sealed class RequestScope(string id) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public string Id => id;

    public int Count => 1;

    public KeyValuePair<string, object?> this[int index]
        => index == 0 ? new("RequestId", id) : throw new ArgumentOutOfRangeException(nameof(index));

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        yield return this[0];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"RequestId:{id}";

    /// <summary>The id of the innermost request.</summary>
    public static string? IdIn(IExternalScopeProvider? scopes)
    {
        var found = new string?[1];
        scopes?.ForEachScope(
            static (scope, found) =>
            {
                if (scope is RequestScope request)
                    found[0] = request.Id;
            },
            found);
        return found[0];
    }
}
