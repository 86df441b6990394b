namespace Registry.Domain.Errors;

/// <summary>Why a request was not carried out, apart from any protocol; the web layer makes the status of it.</summary>
public enum ErrorReason
{
    /// <summary>What was asked for is not there.</summary>
    NotFound,

    /// <summary>The request itself is wrong.</summary>
    Invalid,

    /// <summary>A chunk does not continue where the session stands, or another request is writing to it.</summary>
    OutOfOrder,

    /// <summary>The requested range lies outside the content.</summary>
    RangeNotSatisfiable,

    /// <summary>The body is above the limit.</summary>
    TooLarge,

    /// <summary>More values than one request may carry.</summary>
    TooMany,

    /// <summary>The client sends requests faster than it may.</summary>
    TooOften,

    /// <summary>Credentials are needed.</summary>
    Unauthenticated,

    /// <summary>The principal may not do this.</summary>
    Denied,

    /// <summary>Something of that name is there already.</summary>
    Conflict,

    /// <summary>It is not any more what the request takes it for.</summary>
    Changed,

    /// <summary>Switched off, or not something this registry does.</summary>
    Unsupported,

    /// <summary>The store has no room.</summary>
    StoreFull,

    /// <summary>Storage or database cannot be used now.</summary>
    Unavailable,

    /// <summary>The upstream of a proxy registry did not do what it should have.</summary>
    UpstreamFault,

    /// <summary>A fault of the server.</summary>
    Fault,
}
