using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Registry.Web.Tls;

/// <summary>
/// A certificate with its key as its files have it, looked at again each second in which somebody connects. Files that
/// cannot be used any more leave in force what was read before; connections that are open keep what they began with.
/// </summary>
internal sealed partial class CertificateFile(CertificateSettings settings, TimeProvider time, ILogger logger)
{
    private const int MaxBytes = 1024 * 1024;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private ServedCertificate? _current;
    private byte[] _read = [];
    private string _suspected = "";
    private string _problem = "";
    private long _looked;

    /// <summary>Reads the files for the first time.</summary>
    /// <exception cref="FormatException">
    /// They cannot be used; the message names the setting, its value and why.
    /// </exception>
    public void Open()
    {
        lock (_lock)
        {
            var files = Read();
            _current = Load(files);
            _read = files.Hash;
            _looked = time.GetTimestamp();
        }
    }

    /// <summary>What the files have now.</summary>
    public ServedCertificate Current()
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_looked) >= LookAgain)
            {
                _looked = time.GetTimestamp();
                Refresh();
            }

            return _current ?? throw new InvalidOperationException("The certificate has not been opened.");
        }
    }

    private void Refresh()
    {
        try
        {
            var files = Read();
            if (files.Hash.AsSpan().SequenceEqual(_read))
            {
                _suspected = _problem = "";
                return;
            }

            // Somebody may be in the middle of writing one of them.
            var age = time.GetUtcNow() - files.Written;
            if (age >= TimeSpan.Zero && age < LookAgain)
                return;
            _current = Load(files);
            _read = files.Hash;
            _suspected = _problem = "";
            Log.Reloaded(logger, settings.Path, _current.Subject, _current.Until);
        }
        catch (FormatException e)
        {
            // Certificate and key are replaced one after the other: what is wrong for a moment is not worth telling,
            // and what stays wrong is told once.
            if (e.Message == _suspected && e.Message != _problem)
            {
                Log.NotReloaded(logger, settings.Path, e.Message);
                _problem = e.Message;
            }

            _suspected = e.Message;
        }
    }

    private Files Read()
    {
        var (certificate, written) = ReadFile("Path", settings.Path);
        byte[] key = [];
        if (!string.IsNullOrEmpty(settings.KeyPath))
        {
            (key, var keyWritten) = ReadFile("KeyPath", settings.KeyPath);
            written = keyWritten > written ? keyWritten : written;
        }

        var password = settings.Password;
        if (!string.IsNullOrEmpty(settings.PasswordFile))
            password = Encoding.UTF8.GetString(ReadFile("PasswordFile", settings.PasswordFile).Content).Trim();

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in (byte[][])[certificate, key, Encoding.UTF8.GetBytes(password ?? "")])
        {
            hash.AppendData(BitConverter.GetBytes(part.Length));
            hash.AppendData(part);
        }

        return new(certificate, key, password, written, hash.GetHashAndReset());
    }

    private ServedCertificate Load(Files files)
    {
        try
        {
            var (leaf, others) = IsPem(files.Certificate) ? LoadPem(files) : LoadPfx(files);
            var certificate = new ServedCertificate(leaf, others, NamesOf(leaf));
            var now = time.GetUtcNow();
            if (certificate.Until <= now)
                Log.Expired(logger, settings.Path, certificate.Subject, certificate.Until);
            else if (certificate.From > now)
                Log.NotYetValid(logger, settings.Path, certificate.Subject, certificate.From);
            return certificate;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unusable("Path", settings.Path, e.Message.TrimEnd('.'), "name a certificate in PEM or a PFX", e);
        }
    }

    private (X509Certificate2 Leaf, X509Certificate2Collection Others) LoadPem(Files files)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(Encoding.ASCII.GetString(files.Certificate));
        if (certificates.Count == 0)
            throw Unusable("Path", settings.Path, "it has no certificate", "name one in PEM or a PFX");

        var inFile = files.Key.Length == 0;
        var (key, path) = inFile ? ("Path", settings.Path) : ("KeyPath", settings.KeyPath!);
        var pem = Encoding.ASCII.GetString(inFile ? files.Certificate : files.Key);
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw Unusable(key, path, "it has no private key", "name the key's file in KeyPath");

        var encrypted = pem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal);
        if (encrypted && string.IsNullOrEmpty(files.Password))
            throw Unusable(key, path, "its key is encrypted", "set Password or PasswordFile");

        // The first one is the server's own, as everywhere.
        var chain = Encoding.ASCII.GetString(files.Certificate);
        var leaf = Fitting(
            key, path, encrypted ? "the key does not fit the certificate, or the password not the key"
                : "the key does not fit the certificate, or is broken",
            () => encrypted
                ? X509Certificate2.CreateFromEncryptedPem(chain, pem, files.Password)
                : X509Certificate2.CreateFromPem(chain, pem));
        certificates.RemoveAt(0);
        return (leaf, certificates);
    }

    private (X509Certificate2 Leaf, X509Certificate2Collection Others) LoadPfx(Files files)
    {
        var all = Fitting(
            "Path", settings.Path, "it is neither PEM nor a PFX that the password opens",
            () => X509CertificateLoader.LoadPkcs12Collection(
                files.Certificate, files.Password, X509KeyStorageFlags.EphemeralKeySet));
        var leaf = all.FirstOrDefault(certificate => certificate.HasPrivateKey)
            ?? throw Unusable("Path", settings.Path, "the PFX has no private key", "export it with its key");
        all.Remove(leaf);
        return (leaf, all);
    }

    private static T Fitting<T>(string key, string path, string problem, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException) // the latter: a key of another one
        {
            throw Unusable(key, path, problem, "give the certificate and its own key, and the key's password", e);
        }
    }

    private string[] NamesOf(X509Certificate2 leaf)
    {
        if (settings.Hosts.Count > 0)
            return [.. settings.Hosts];
        string[] names =
        [
            .. leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(extension => extension.EnumerateDnsNames()),
        ];
        return names.Length > 0 ? names : [leaf.GetNameInfo(X509NameType.DnsName, forIssuer: false)];
    }

    private static bool IsPem(byte[] content) => content.AsSpan().IndexOf("-----BEGIN "u8) >= 0;

    private static (byte[] Content, DateTimeOffset Written) ReadFile(string key, string path)
    {
        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > MaxBytes)
                throw Unusable(key, path, $"it has more than {MaxBytes >> 20} MiB", "name the right file");
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return (content, new(File.GetLastWriteTimeUtc(file.SafeFileHandle)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(
                key, path, $"it cannot be read: {e.Message.TrimEnd('.')}",
                "name a file that the server's user may read", e);
        }
    }

    private static FormatException Unusable(
        string key, string path, string problem, string fix, Exception? cause = null)
        => new($"{key} is '{path}', which cannot be used ({problem}): {fix}.", cause);

    private sealed record Files(
        byte[] Certificate, byte[] Key, string? Password, DateTimeOffset Written, byte[] Hash);

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "The certificate {Path} has changed and was read: {Subject}, until {Until}.")]
        public static partial void Reloaded(ILogger logger, string path, string subject, DateTimeOffset until);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "The certificate {Path} has changed and cannot be used: {Problem} "
                + "What was read before stays in force.")]
        public static partial void NotReloaded(ILogger logger, string path, string problem);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "The certificate {Path} ({Subject}) has expired on {Until}: clients will refuse it.")]
        public static partial void Expired(ILogger logger, string path, string subject, DateTimeOffset until);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "The certificate {Path} ({Subject}) does not count before {From}: clients will refuse it.")]
        public static partial void NotYetValid(ILogger logger, string path, string subject, DateTimeOffset from);
    }
}

/// <summary>What clients are shown, ready for handshakes.</summary>
internal sealed class ServedCertificate
{
    /// <param name="leaf">With its private key.</param>
    /// <param name="others">Those between it and its root.</param>
    /// <param name="names">The host names it is for, exact or <c>*.suffix</c>.</param>
    public ServedCertificate(X509Certificate2 leaf, X509Certificate2Collection others, string[] names)
    {
        (Leaf, Names) = (leaf, names);
        Handshake = new()
        {
            // Offline: what is sent along is what the file has, and nothing is fetched from elsewhere.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, others, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck, // of clients, which show none
        };
    }

    public X509Certificate2 Leaf { get; }

    public IReadOnlyList<string> Names { get; }

    public string Subject => Leaf.Subject;

    public DateTimeOffset From => new(Leaf.NotBefore.ToUniversalTime());

    public DateTimeOffset Until => new(Leaf.NotAfter.ToUniversalTime());

    /// <summary>One for all connections: it holds what resumed sessions need.</summary>
    public SslServerAuthenticationOptions Handshake { get; }

    /// <summary>
    /// How well a host name fits: the length of what is compared, more for an exact name; 0 when it does not fit.
    /// </summary>
    public int Fit(string host)
    {
        var best = 0;
        foreach (var name in Names)
        {
            var fit = name.StartsWith("*.", StringComparison.Ordinal)
                ? host.Length > name.Length - 1 && host.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase)
                    ? name.Length
                    : 0
                : name.Equals(host, StringComparison.OrdinalIgnoreCase) ? int.MaxValue : 0;
            best = Math.Max(best, fit);
        }

        return best;
    }
}
