namespace Registry.Application.Health;

/// <summary>A part without which no request can be served.</summary>
public interface IReadinessCheck
{
    /// <summary>Names the part in the answer, such as <c>database</c>.</summary>
    string Part { get; }

    /// <summary>Null when the part works, otherwise why it does not, in words that may be shown to anybody.</summary>
    Task<string?> FindProblemAsync(CancellationToken cancellationToken);
}
