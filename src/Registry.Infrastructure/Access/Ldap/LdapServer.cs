using System.Collections.Concurrent;
using System.DirectoryServices.Protocols;
using System.Net;
using Registry.Application.Access;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// One server of a directory. Searches go over connections that are kept for the next one; whether a password is right
/// is asked over a connection of its own. What goes wrong is a <see cref="DirectoryException"/>.
/// </summary>
/// <param name="authorities">A file of the certificates that are trusted; null where nothing is encrypted.</param>
internal sealed class LdapServer(Uri url, LdapSettings settings, string? authorities, TimeProvider time) : IDisposable
{
    private const int MaxIdle = 8;

    private static readonly TimeSpan MaxIdleTime = TimeSpan.FromMinutes(1);

    private const int InvalidCredentials = 49;
    private const int TimeLimitExceeded = 85; // the client's own

    // What a server answers instead when the account or the day are wrong, not the password: constraint violation, no
    // such object, inappropriate authentication, insufficient access, unwilling to perform.
    private static readonly int[] Refusals = [19, 32, 48, 50, 53];

    private readonly ConcurrentStack<(LdapConnection Connection, long Since)> _idle = new();
    private long _restsUntil;
    private bool _disposed;

    public Uri Url => url;

    /// <summary>Whether it has failed a short while ago, so that others are asked before it.</summary>
    public bool Rests => time.GetTimestamp() < Volatile.Read(ref _restsUntil);

    /// <summary>Lets it rest.</summary>
    public void Rest(TimeSpan pause)
        => Volatile.Write(
            ref _restsUntil, time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency));

    /// <summary>Takes it as working again.</summary>
    public void Return() => Volatile.Write(ref _restsUntil, 0);

    public async Task<SearchResultEntryCollection> SearchAsync(SearchRequest request)
    {
        if (TakeIdle() is { } kept)
        {
            try
            {
                return await SearchAsync(kept, request);
            }
            catch (LdapException e) when (e.ErrorCode != TimeLimitExceeded)
            {
                // It was cut while it was not in use, as perhaps all of them were; a new one tells how the server is.
                Forget();
            }
        }

        return await SearchAsync(await OnOwnThreadAsync(ConnectForSearches), request);
    }

    /// <summary>Whether the server lets that entry in with that password.</summary>
    public Task<bool> BindAsync(string dn, string password)
        => OnOwnThreadAsync(() =>
        {
            // Without a password a server lets anybody in as nobody, and libldap takes a NUL for the end of it
            // (RFC 4513, 5.1.2).
            if (password.Length == 0 || password.Contains('\0', StringComparison.Ordinal))
                return false;
            using var connection = Open(AuthType.Basic);
            try
            {
                connection.Bind(new NetworkCredential(dn, password));
                return true;
            }
            catch (LdapException e) when (e.ErrorCode == InvalidCredentials)
            {
                return false;
            }
            catch (DirectoryOperationException) when (Refusals.Contains(LdapLibrary.LastResult(connection)))
            {
                return false;
            }
        });

    public void Dispose()
    {
        _disposed = true;
        Forget();
    }

    private async Task<SearchResultEntryCollection> SearchAsync(LdapConnection connection, SearchRequest request)
    {
        try
        {
            var response = await SendAsync(connection, request);
            Keep(connection);
            return response.Entries;
        }
        catch (DirectoryOperationException)
        {
            Keep(connection); // an answer, if none that was hoped for
            throw;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // The package gives libldap a time limit of the wrong size, of which a part is whatever stands behind it in memory:
    // between nothing, which it makes up for, and for ever. So the wait is on a thread of its own, and ended from here.
    private async Task<SearchResponse> SendAsync(LdapConnection connection, SearchRequest request)
    {
        var late = false;
        await using var limit = new Timer(
            _ =>
            {
                Volatile.Write(ref late, true);
                LdapLibrary.Cut(connection);
            },
            state: null, settings.Timeout, Timeout.InfiniteTimeSpan);
        try
        {
            return (SearchResponse)await await OnOwnThreadAsync(() => Task.Factory.FromAsync(
                (callback, state) => connection.BeginSendRequest(
                    request, settings.Timeout, PartialResultProcessing.NoPartialResultSupport, callback, state),
                connection.EndSendRequest,
                state: null));
        }
        catch (LdapException e) when (Volatile.Read(ref late))
        {
            throw new LdapException(TimeLimitExceeded, "The server has not answered in time.", e);
        }
    }

    private LdapConnection ConnectForSearches()
    {
        var named = !string.IsNullOrEmpty(settings.BindDn);
        var connection = Open(named ? AuthType.Basic : AuthType.Anonymous);
        try
        {
            if (named)
                connection.Bind(new NetworkCredential(settings.BindDn, settings.BindPassword));
            else
                connection.Bind();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private LdapConnection Open(AuthType type)
    {
        var address = $"{HostOf(url)}:{PortOf(url)}";
        var connection = new LdapConnection(new LdapDirectoryIdentifier(address), credential: null, type)
        {
            AutoBind = false,
            Timeout = settings.Timeout,
        };
        try
        {
            connection.SessionOptions.ProtocolVersion = 3;
            connection.SessionOptions.ReferralChasing = ReferralChasingOptions.None;
            connection.SessionOptions.SecureSocketLayer = url.Scheme == "ldaps";
            LdapLibrary.Prepare(connection, $"{url.Scheme}://{address}", settings.Timeout, authorities);
            if (settings.StartTls)
                connection.SessionOptions.StartTransportLayerSecurity(controls: null);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // libldap waits for the network: that must not take the threads that serve requests.
    private static Task<T> OnOwnThreadAsync<T>(Func<T> action)
        => Task.Factory.StartNew(
            action, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);

    private LdapConnection? TakeIdle()
    {
        while (_idle.TryPop(out var kept))
        {
            if (time.GetElapsedTime(kept.Since) < MaxIdleTime)
                return kept.Connection;
            kept.Connection.Dispose();
        }

        return null;
    }

    private void Keep(LdapConnection connection)
    {
        if (_disposed || _idle.Count >= MaxIdle)
            connection.Dispose();
        else
            _idle.Push((connection, time.GetTimestamp()));
    }

    private void Forget()
    {
        while (_idle.TryPop(out var kept))
            kept.Connection.Dispose();
    }

    private static string HostOf(Uri url) => url.HostNameType is UriHostNameType.IPv6 ? url.Host : url.IdnHost;

    private static int PortOf(Uri url) => url.Port > 0 ? url.Port : url.Scheme == "ldaps" ? 636 : 389;
}
