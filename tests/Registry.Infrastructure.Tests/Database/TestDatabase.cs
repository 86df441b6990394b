using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>A new database of one kind, which the contracts run on; disposing takes it away.</summary>
public abstract class TestDatabase : IDisposable
{
    /// <summary>A connection to it. Several may follow one another, as a restarted server's do.</summary>
    internal abstract RegistryDatabase Connect(TimeProvider time);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
