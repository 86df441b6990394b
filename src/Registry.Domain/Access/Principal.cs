namespace Registry.Domain.Access;

/// <summary>Who calls.</summary>
public sealed record Principal(string Name)
{
    public static readonly Principal Anonymous = new("anonymous");
}
