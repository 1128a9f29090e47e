using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.KeyVault;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>One way in which an administrator holds a certificate.</summary>
/// <param name="Name">Who made it and in which form it is.</param>
/// <param name="Credential">
/// The script that makes a credential of it; <c>$id</c> is the application, <c>$f</c> the workshop's folder, <c>$p</c> the password
/// of files, and <c>{0}</c> stands for more arguments.
/// </param>
/// <param name="Make">Makes it in the workshop; false where the program for that is not installed.</param>
/// <param name="Alone">It is used in a process of its own: it changes something of the process, or needs another home.</param>
public sealed record CertificateSource(string Name, string Credential, Func<CertificateWorkshop, bool> Make, bool Alone = false)
{
    private const string P = CertificateWorkshop.Password;
    private const string File = "New-SecureAppCredential $id -CertificatePath $f/";
    private const string Vault = "New-SecureAppCredential $id -VaultName any -CertificateName ";

    /// <summary>The rows of the matrix. What an administrator can have and is not here is not tested.</summary>
    public static IReadOnlyList<CertificateSource> All { get; } =
    [
        new("PFX of OpenSSL", File + "openssl.pfx -CertificatePassword $p {0}", shop => shop.Pfx("openssl.pfx", "-passout", "pass:" + P)),
        new("PFX of OpenSSL with an empty password", File + "empty.pfx {0}", shop => shop.Pfx("empty.pfx", "-passout", "pass:")),
        new("PFX of OpenSSL without encryption", File + "bare.pfx {0}", shop => shop.Pfx("bare.pfx", "-nomac", "-keypbe", "NONE", "-certpbe", "NONE", "-passout", "pass:")),
        new("PFX of OpenSSL -legacy, as of an old Windows: 3DES and RC2", File + "legacy.pfx -CertificatePassword $p {0}", shop => shop.Pfx("legacy.pfx", "-legacy", "-passout", "pass:" + P), Alone: true),
        new("PFX as of Windows: 3DES, MAC with SHA-1", File + "windows.pfx -CertificatePassword $p {0}", shop => shop.Pfx("windows.pfx", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1", "-passout", "pass:" + P)),
        new("PFX with its chain, issued by an authority", File + "chain.pfx -CertificatePassword $p {0}", shop => shop.Chain() && shop.OpenSsl("pkcs12", "-export", "-in", "leaf.crt", "-inkey", "leaf.key", "-certfile", "above.pem", "-out", "chain.pfx", "-passout", "pass:" + P)),
        new("PFX of .NET: AES-256", File + "dotnet.pfx -CertificatePassword $p {0}", shop => shop.Write("dotnet.pfx", shop.Own.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, P))),
        new("PFX of .NET: 3DES", File + "dotnet3.pfx -CertificatePassword $p {0}", shop => shop.Write("dotnet3.pfx", shop.Own.ExportPkcs12(Pkcs12ExportPbeParameters.Pkcs12TripleDesSha1, P))),
        new("PFX of keytool", File + "java.p12 -CertificatePassword $p {0}", shop => shop.Pfx("source.pfx", "-passout", "pass:" + P) && shop.Run("keytool", "-importkeystore", "-noprompt", "-srckeystore", "source.pfx", "-srcstoretype", "PKCS12", "-srcstorepass", P, "-destkeystore", "java.p12", "-deststoretype", "PKCS12", "-deststorepass", P)),
        new("PFX of certtool", File + "gnutls.p12 -CertificatePassword $p {0}", shop => shop.Run("certtool", "--to-p12", "--load-certificate", "own.crt", "--load-privkey", "own.key", "--p12-name", "own", "--password", P, "--outder", "--outfile", "gnutls.p12")),

        new("PEM: PKCS #8", File + "pkcs8.pem {0}", shop => shop.Join("pkcs8.pem", "own.key", "own.crt")),
        new("PEM: PKCS #1", File + "pkcs1.pem {0}", shop => shop.Key("pkcs1.key", "rsa", "-traditional") && shop.Join("pkcs1.pem", "own.crt", "pkcs1.key")),
        new("PEM: encrypted PKCS #8", File + "locked.pem -CertificatePassword $p {0}", shop => shop.Locked() && shop.Join("locked.pem", "own.crt", "locked.key")),
        new("PEM: PKCS #8 in a file of its own", File + "own.crt -CertificateKeyPath $f/own.key {0}", _ => true),
        new("PEM: PKCS #1 in a file of its own", File + "own.crt -CertificateKeyPath $f/apart1.key {0}", shop => shop.Key("apart1.key", "rsa", "-traditional")),
        new("DER, and encrypted PKCS #8 in a file of its own", File + "own.cer -CertificateKeyPath $f/locked.key -CertificatePassword $p {0}", shop => shop.Locked() && shop.Write("own.cer", shop.Own.RawData)),
        new("PEM: a chain, the leaf last", File + "chain.pem {0}", shop => shop.Chain() && shop.Join("chain.pem", "above.pem", "leaf.crt", "leaf.key")),

        new("X509Certificate2", "New-SecureAppCredential $id -Certificate $own {0}", _ => true),
        new("X509Certificate2 and a key that cannot be exported", "New-SecureAppCredential $id -Certificate $public -PrivateKey $kept {0}", _ => true),
        new("Thumbprint in the store", "New-SecureAppCredential $id -CertificateThumbprint $thumbprint {0}", shop => shop.Installed(), Alone: true),

        new("Key vault: PKCS #12", Vault + "pkcs12 {0}", shop => shop.InVault("pkcs12", VaultCertificate.Pkcs12, exportable: true)),
        new("Key vault: PEM", Vault + "pem {0}", shop => shop.InVault("pem", VaultCertificate.Pem, exportable: true)),
        new("Key vault: signed there", Vault + "kept -RemoteSigning {0}", shop => shop.InVault("kept", VaultCertificate.Pkcs12, exportable: false)),

        new("New-SecureAppCertificate: PFX", File + "made.pfx -CertificatePassword $umlauts {0}", shop => shop.Made()),
        new("New-SecureAppCertificate: PFX with 3DES", File + "made3.pfx -CertificatePassword $umlauts {0}", shop => shop.Made3()),
        new("New-SecureAppCertificate: PEM", File + "made.pem {0}", shop => shop.MadeOpen()),
        new("New-SecureAppCertificate: encrypted PEM", File + "made.locked.pem -CertificatePassword $umlauts {0}", shop => shop.Made()),
        new("New-SecureAppCertificate: piped", "$made | New-SecureAppCredential $id {0}", shop => shop.Made()),
        new("New-SecureAppCertificate: as -Certificate", "New-SecureAppCredential $id -Certificate $made {0}", shop => shop.Made()),
        new("New-SecureAppCertificate: installed", "New-SecureAppCredential $id -CertificateThumbprint $installed {0}", shop => shop.MadeInstalled(), Alone: true),
    ];

    public override string ToString() => Name;
}
