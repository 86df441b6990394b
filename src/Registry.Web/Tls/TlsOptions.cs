namespace Registry.Web.Tls;

/// <summary><c>Registry:Tls</c></summary>
public sealed class TlsOptions
{
    /// <summary>
    /// The certificates of all <c>https</c> listeners. The client's choice of host name decides which one it is shown;
    /// the first one where none fits.
    /// </summary>
    public IList<CertificateSettings> Certificates { get; } = [];

    /// <summary>
    /// How long browsers are told to come by TLS alone, in answers to requests that came by it. Default zero: they are
    /// told nothing.
    /// </summary>
    public TimeSpan HstsMaxAge { get; set; }
}

/// <summary><c>Registry:Tls:Certificates:*</c></summary>
public sealed class CertificateSettings
{
    /// <summary>
    /// A file with the certificate and those between it and its root, in PEM; or a PFX (PKCS #12). Looked at again
    /// every second in which somebody connects.
    /// </summary>
    public string Path { get; set; } = "";

    /// <summary>The file with the private key in PEM; left out where it is in the file of the certificate.</summary>
    public string? KeyPath { get; set; }

    /// <summary>The password of the PFX, or of an encrypted key.</summary>
    public string? Password { get; set; }

    /// <summary>A file with the password, in the place of <see cref="Password"/>.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>
    /// The host names it is shown for, exact or <c>*.suffix</c>. Left out: the names in the certificate itself.
    /// </summary>
    public IList<string> Hosts { get; } = [];
}
