namespace Registry.Domain.Errors;

/// <summary>Something that can be a refusal; lets one behaviour refuse on behalf of every use case.</summary>
public interface IRefusable<out TSelf>
{
    static abstract TSelf Refused(IReadOnlyList<OciError> errors);
}

/// <summary>
/// A value, or the reasons why there is none. Expected failures travel so; exceptions mean a bug or broken storage.
/// </summary>
public sealed class Result<T> : IRefusable<Result<T>>
{
    private readonly T? _value;
    private readonly IReadOnlyList<OciError>? _errors;

    private Result(T? value, IReadOnlyList<OciError>? errors) => (_value, _errors) = (value, errors);

    /// <summary>For interfaces, which no implicit conversion takes.</summary>
    public static Result<T> Of(T value) => new(value, null);

    public static Result<T> Refused(IReadOnlyList<OciError> errors) => new(default, errors);

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(OciError error) => new(default, [error]);

    public TOut Match<TOut>(Func<T, TOut> value, Func<IReadOnlyList<OciError>, TOut> errors)
        => _errors is null ? value(_value!) : errors(_errors);

    /// <summary>True with the value; false with at least one error.</summary>
    public bool TryGet(out T value, out IReadOnlyList<OciError> errors)
    {
        (value, errors) = (_value!, _errors ?? []);
        return _errors is null;
    }
}
