namespace Registry.Infrastructure.Access;

/// <summary>A provider of users that has something to read or to check before the first request.</summary>
internal interface IOpenedAtStart
{
    /// <exception cref="StartRefusedException">What it is configured with cannot be used.</exception>
    void Open();
}
