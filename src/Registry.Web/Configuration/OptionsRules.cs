using System.Data.Common;
using System.Net;
using Registry.Application.Access;
using Registry.Application.Registries;
using Registry.Infrastructure;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Stores;

namespace Registry.Web.Configuration;

/// <summary>Defaults that depend on other settings, and what the settings must be like together.</summary>
internal static class OptionsRules
{
    /// <exception cref="StartRefusedException">A file that the settings name cannot be read.</exception>
    public static void Complete(RegistryOptions options)
    {
        ReadConnectionString(options.Database);
        LdapRules.Complete(options.Access.Ldap);
        if (options.Stores.Count == 0)
            options.Stores["default"] = new();
        foreach (var (name, store) in options.Stores)
        {
            // What a file sets to null is as good as not set.
            (store.Root, store.Bucket, store.Prefix) = (store.Root ?? "", store.Bucket ?? "", store.Prefix ?? "");
            store.Region ??= "us-east-1";
            if (store.Root.Length == 0 && store.Kind is StoreKind.FileSystem)
                store.Root = Path.Combine(options.Data, name == "default" ? "blobs" : $"blobs-{name}");
            if (string.IsNullOrEmpty(store.Staging) && store.Kind is StoreKind.S3)
                store.Staging = Path.Combine(options.Data, name == "default" ? "arriving" : $"arriving-{name}");
        }

        // Adding a registry must not take away the one that was there before it.
        if (!options.Registries.Any(entry => entry.Key == "default" || RegistryRules.IsAtRoot(entry.Key, entry.Value)))
            options.Registries["default"] = new();
        RegistryRules.Complete(options.Registries.Values);
        if (options.Listen.Count == 0)
            options.Listen.Add("http://localhost:5000");
        if (options.Metrics.AllowedNetworks.Count == 0)
        {
            options.Metrics.AllowedNetworks.Add("127.0.0.0/8");
            options.Metrics.AllowedNetworks.Add("::1/128");
        }
    }

    /// <exception cref="StartRefusedException">Names key, value and fix.</exception>
    public static void Check(RegistryOptions options)
    {
        Require(options.Data.Trim().Length > 0, "Registry:Data is empty: name a folder.");
        Require(
            options.Uploads.Expiry > TimeSpan.Zero,
            $"Registry:Uploads:Expiry is {options.Uploads.Expiry}, it must be above zero.");
        Require(
            options.GarbageCollection.Lease >= TimeSpan.FromMinutes(1),
            $"Registry:GarbageCollection:Lease is {options.GarbageCollection.Lease}, it must be a minute or more: "
            + "a push must end before its parts expire.");
        Require(
            options.Manifests.MaxBytes is >= 1024 and <= 64 * 1024 * 1024,
            $"Registry:Manifests:MaxBytes is {options.Manifests.MaxBytes}, it must be from 1024 to 67108864.");
        Require(
            options.Manifests.MaxTags >= 10,
            $"Registry:Manifests:MaxTags is {options.Manifests.MaxTags}, it must be 10 or more.");
        CheckLimits(options.Limits);
        CheckTls(options);
        foreach (var network in options.Metrics.AllowedNetworks)
            Require(
                IPNetwork.TryParse(network, out _),
                $"Registry:Metrics:AllowedNetworks has '{network}', which is no network such as 10.0.0.0/8.");
        foreach (var network in options.ForwardedHeaders.Networks)
            Require(
                IPNetwork.TryParse(network, out _),
                $"Registry:ForwardedHeaders:Networks has '{network}', which is no network such as 10.0.0.0/8.");
        foreach (var origin in options.Cors.Origins)
        {
            Require(
                Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.GetLeftPart(UriPartial.Authority) == origin,
                $"Registry:Cors:Origins has '{origin}', which is no origin such as https://ui.example.com "
                + "(no path, no *).");
        }

        CheckAccess(options);
        CheckDatabase(options.Database);
        CheckStores(options);
        foreach (var (name, store) in options.Stores.Where(entry => entry.Value.Kind is StoreKind.S3))
            CheckBucket(options, name, store);
        RegistryRules.Check(options);
    }

    private static void CheckLimits(LimitOptions limits)
    {
        CheckRate("", limits.RequestsPerSecond, limits.Burst);
        CheckRate("Principal", limits.PrincipalRequestsPerSecond, limits.PrincipalBurst);
        Require(
            limits.Connections >= 0,
            $"Registry:Limits:Connections is {limits.Connections}, it must be 0 (no limit) or more.");
        CheckTimeout("HeaderTimeout", limits.HeaderTimeout);
        CheckTimeout("IdleTimeout", limits.IdleTimeout);

        static void CheckRate(string whose, int perSecond, int burst)
        {
            var key = $"Registry:Limits:{whose}";
            Require(
                perSecond >= 0, $"{key}RequestsPerSecond is {perSecond}, it must be 0 (no limit) or more.");
            Require(burst >= 1, $"{key}Burst is {burst}, it must be 1 or more.");
            Require(
                burst >= perSecond,
                $"{key}Burst is {burst}, it must be {key}RequestsPerSecond ({perSecond}) or more.");
        }

        static void CheckTimeout(string name, TimeSpan timeout)
            => Require(
                timeout >= TimeSpan.FromSeconds(1) && timeout <= TimeSpan.FromHours(1),
                $"Registry:Limits:{name} is {timeout}, it must be from a second to an hour.");
    }

    private static void CheckTls(RegistryOptions options)
    {
        var tls = options.Tls;
        var secure = options.Listen.FirstOrDefault(
            listener => listener.StartsWith("https:", StringComparison.OrdinalIgnoreCase));
        Require(
            secure is null || tls.Certificates.Count > 0,
            $"Registry:Listen has '{secure}', but there is no certificate for it: "
            + "set Registry:Tls:Certificates:0:Path, and KeyPath.");
        Require(
            tls.HstsMaxAge >= TimeSpan.Zero,
            $"Registry:Tls:HstsMaxAge is {tls.HstsMaxAge}, it must be zero (not sent) or more.");
        for (var i = 0; i < tls.Certificates.Count; i++)
        {
            var (key, certificate) = ($"Registry:Tls:Certificates:{i}", tls.Certificates[i]);
            Require(
                !string.IsNullOrWhiteSpace(certificate.Path),
                $"{key}:Path is empty: name the file of the certificate.");
            Require(
                string.IsNullOrEmpty(certificate.Password) || string.IsNullOrEmpty(certificate.PasswordFile),
                $"{key}:Password and {key}:PasswordFile are both set: leave one.");
            foreach (var host in certificate.Hosts)
                Require(
                    IsHost(host), $"{key}:Hosts has '{host}', which is no host name or *.suffix (no port).");
        }
    }

    private static bool IsHost(string host)
        => Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host)
            != UriHostNameType.Unknown;

    private static void CheckAccess(RegistryOptions options)
    {
        var access = options.Access;
        CheckRules(options);
        for (var i = 0; i < access.Workload.Count; i++)
        {
            WorkloadRules.Check(
                FormattableString.Invariant($"Registry:Access:Workload:{i}"), access.Workload[i],
                access.Workload.Take(i));
        }

        LdapRules.Check(access.Ldap);
        foreach (var provider in access.Providers)
        {
            Require(
                access.ConfiguredProviders().Contains(provider),
                $"Registry:Access:Providers has {provider}, but nothing is set under Registry:Access:{provider}.");
        }

        var tokens = access.Tokens;
        Require(
            tokens.Lifetime >= TimeSpan.FromMinutes(1) && tokens.Lifetime <= TimeSpan.FromDays(1),
            $"Registry:Access:Tokens:Lifetime is {tokens.Lifetime}, it must be from a minute to a day.");
        Require(
            tokens.RefreshLifetime >= tokens.Lifetime,
            $"Registry:Access:Tokens:RefreshLifetime is {tokens.RefreshLifetime}, it must be "
            + "Registry:Access:Tokens:Lifetime or more.");
        Require(
            tokens.KeyLifetime >= TimeSpan.FromHours(1),
            $"Registry:Access:Tokens:KeyLifetime is {tokens.KeyLifetime}, it must be an hour or more.");
    }

    private static void CheckRules(RegistryOptions options)
    {
        try
        {
            foreach (var (key, rule) in ConfiguredRules.Read(options.Access))
            {
                Require(
                    rule.Grant.Registry is not { } registry || options.Registries.ContainsKey(registry.Value),
                    $"{key}:Registry is '{rule.Grant.Registry}', which Registry:Registries does not have "
                    + $"({string.Join(", ", options.Registries.Keys)}).");
                Require(
                    rule.Grant.Registry is not { } named
                        || options.Registries[named.Value].Kind is not RegistryKind.Group,
                    $"{key}:Registry is '{rule.Grant.Registry}', a group, which has no rights of its own: name one of "
                    + "its members.");
            }
        }
        catch (FormatException e)
        {
            throw new StartRefusedException(e.Message, e);
        }
    }

    private static void CheckDatabase(DatabaseOptions database)
    {
        Require(
            database.Kind != DatabaseKind.PostgreSql || !string.IsNullOrWhiteSpace(database.ConnectionString),
            "Registry:Database:ConnectionString is missing: PostgreSQL needs one, "
            + "such as Host=db.example.com;Database=registry;Username=registry;Password=….");
        Require(
            database.Kind != DatabaseKind.Sqlite || !IsForServer(database.ConnectionString),
            "Registry:Database:Kind is Sqlite, but the connection string names a server or a user: "
            + "set Registry:Database:Kind to PostgreSql.");
        Require(
            string.IsNullOrEmpty(database.ConnectionStringFile)
                || !string.IsNullOrWhiteSpace(database.ConnectionString),
            $"Registry:Database:ConnectionStringFile is '{database.ConnectionStringFile}', which is empty.");
        Require(
            database.MaxConnections is >= 2 and <= 1000,
            $"Registry:Database:MaxConnections is {database.MaxConnections}, it must be from 2 to 1000.");
        Require(
            database.MaxWait > TimeSpan.Zero && database.MaxWait <= TimeSpan.FromHours(1),
            $"Registry:Database:MaxWait is {database.MaxWait}, it must be above zero and an hour at most.");
    }

    private static bool IsForServer(string? connectionString)
    {
        try
        {
            var keys = new DbConnectionStringBuilder { ConnectionString = connectionString };
            return Array.Exists(["Host", "Server", "Username", "User Id", "Password"], keys.ContainsKey);
        }
        catch (ArgumentException)
        {
            return false; // the database says what is wrong with it
        }
    }

    // One line, and nothing of the secret in what is said about it.
    private static void ReadConnectionString(DatabaseOptions database)
    {
        if (string.IsNullOrEmpty(database.ConnectionStringFile))
            return;
        Require(
            string.IsNullOrEmpty(database.ConnectionString),
            "Registry:Database:ConnectionString and Registry:Database:ConnectionStringFile are both set: leave one.");
        try
        {
            database.ConnectionString = File.ReadAllText(database.ConnectionStringFile).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                $"Registry:Database:ConnectionStringFile is '{database.ConnectionStringFile}', which cannot be read "
                + $"({e.Message.TrimEnd('.')}): name a file that the server's user may read.",
                e);
        }
    }

    // One store would take for its own, or purge, what another one has written.
    private static void CheckStores(RegistryOptions options)
    {
        var folders = new List<(string Store, string Key, string Path)>();
        foreach (var (name, store) in options.Stores)
        {
            if (store.Kind is StoreKind.FileSystem)
            {
                Require(
                    store.Bucket.Length == 0,
                    $"Registry:Stores:{name}:Bucket is '{store.Bucket}', but Kind is FileSystem: set Kind to S3.");
                folders.Add((name, $"Registry:Stores:{name}:Root", FullPath(store.Root)));
            }

            if (!string.IsNullOrEmpty(store.Staging))
                folders.Add((name, $"Registry:Stores:{name}:Staging", FullPath(store.Staging)));
        }

        for (var i = 0; i < folders.Count; i++)
        {
            foreach (var other in folders.Skip(i + 1))
            {
                var (store, key, path) = folders[i];
                var apart = !IsWithin(path, other.Path)
                    // a store's staging may lie in its own root
                    && (other.Store == store || !IsWithin(other.Path, path));
                Require(apart, $"{key} '{path}' and {other.Key} '{other.Path}' overlap: give them separate folders.");
            }
        }

        static string FullPath(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

        static bool IsWithin(string path, string folder)
            => $"{path}{Path.DirectorySeparatorChar}".StartsWith(
                $"{folder.TrimEnd(Path.DirectorySeparatorChar)}{Path.DirectorySeparatorChar}",
                OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);
    }

    private static void CheckBucket(RegistryOptions options, string name, StoreOptions store)
    {
        var key = $"Registry:Stores:{name}";
        Require(
            store.Root.Length == 0, $"{key}:Root is set, but Kind is S3, which has its blobs in no folder: remove it.");
        Require(store.Bucket.Length > 0, $"{key}:Bucket is empty: name the bucket for the blobs.");
        Require(
            store.ServiceUrl is null
                || Uri.TryCreate(store.ServiceUrl, UriKind.Absolute, out var url)
                    && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps),
            $"{key}:ServiceUrl is '{store.ServiceUrl}', which is no address such as https://minio.example.com.");
        Require(store.Region.Length > 0, $"{key}:Region is empty: name the region, us-east-1 if there is none.");
        Require(
            string.IsNullOrEmpty(store.SecretKey) || string.IsNullOrEmpty(store.SecretKeyFile),
            $"{key}:SecretKey and {key}:SecretKeyFile are both set: keep one of them.");
        var hasSecret = !string.IsNullOrEmpty(store.SecretKey) || !string.IsNullOrEmpty(store.SecretKeyFile);
        Require(
            hasSecret || string.IsNullOrEmpty(store.AccessKey),
            $"{key}:AccessKey is '{store.AccessKey}', but there is no secret for it: "
            + $"set {key}:SecretKeyFile or {key}:SecretKey.");
        Require(
            !hasSecret || !string.IsNullOrEmpty(store.AccessKey),
            $"{key}:AccessKey is empty, but there is a secret: name the key that the secret belongs to.");
        Require(
            store.Timeout > TimeSpan.Zero && store.Timeout <= TimeSpan.FromMinutes(10),
            $"{key}:Timeout is {store.Timeout}, it must be above zero and up to 00:10:00.");
        Require(
            store.RedirectMinBytes >= 0,
            $"{key}:RedirectMinBytes is {store.RedirectMinBytes}, it must be 0 or more.");
        foreach (var (other, rival) in options.Stores.Where(
            entry => entry.Value.Kind is StoreKind.S3 && string.CompareOrdinal(entry.Key, name) > 0))
        {
            var (mine, its) = (Folder(store), Folder(rival));
            Require(
                !mine.StartsWith(its, StringComparison.Ordinal) && !its.StartsWith(mine, StringComparison.Ordinal),
                $"{key} and Registry:Stores:{other} overlap in bucket '{store.Bucket}': "
                + "give each a Prefix of its own.");
        }

        static string Folder(StoreOptions store)
            => $"{store.ServiceUrl?.TrimEnd('/')}/{store.Bucket}/"
                + (store.Prefix.Trim('/') is { Length: > 0 } prefix ? $"{prefix}/" : "");
    }

    internal static void Require(bool holds, string problem)
    {
        if (!holds)
            throw new StartRefusedException(problem);
    }
}
