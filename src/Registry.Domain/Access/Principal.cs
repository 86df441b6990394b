namespace Registry.Domain.Access;

/// <summary>Who calls.</summary>
/// <param name="Name">What upload sessions and the history of tags remember of the caller.</param>
public sealed record Principal(string Name)
{
    /// <summary>Somebody who shows no credentials.</summary>
    public static readonly Principal Anonymous = new("anonymous");

    /// <summary>
    /// A program on the registry's own machine, as long as nobody has said what anonymous clients may do.
    /// </summary>
    public static readonly Principal Local = new("local");
}
