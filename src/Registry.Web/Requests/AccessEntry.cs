using System.Collections;

namespace Registry.Web.Requests;

/// <summary>One request as the access log tells it.</summary>
/// <param name="Path">Escaped and without its query: what a client sent cannot break a line, nor leak from it.</param>
/// <param name="Bytes">The announced length of the answer.</param>
internal readonly record struct AccessEntry(
    string Method, string Path, int Status, long? Bytes, double Milliseconds, string? Client, string RequestId)
    : IReadOnlyList<KeyValuePair<string, object?>>
{
    public int Count => 7;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new(nameof(Method), Method),
        1 => new(nameof(Path), Path),
        2 => new(nameof(Status), Status),
        3 => new(nameof(Bytes), Bytes),
        4 => new(nameof(Milliseconds), Milliseconds),
        5 => new(nameof(Client), Client),
        6 => new(nameof(RequestId), RequestId),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString()
        => $"{Method} {Path} {Status} {Bytes} bytes {Milliseconds:0.0} ms from {Client} [{RequestId}]";
}
