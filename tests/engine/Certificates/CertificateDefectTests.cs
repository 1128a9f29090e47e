using System.Formats.Asn1;
using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.KeyVault;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>What can be wrong with a certificate: one row each, with the words that its user reads and nobody else's row has.</summary>
public sealed class CertificateDefectTests(CertificateWorkshop shop) : IClassFixture<CertificateWorkshop>
{
    private const string New = "New-SecureAppCredential $id ";
    private const string Vault = New + "-VaultName any ";
    private const string Ask = "Get-SecureAppAccessToken -TenantId $customer -Resource https://graph.microsoft.com -Credential ";

    /// <summary>The defect, the script that meets it, the id that programs read, and the words.</summary>
    public static TheoryData<string, string, string, string> Defects { get; } = new()
    {
        { "expired", New + "-Certificate $expired", "CertificateExpired", "CN=Expired expired on" },
        { "not yet valid", New + "-Certificate $early", "CertificateNotYetValid", "not valid before" },
        { "wrong key", New + "-CertificatePath $f/own.crt -CertificateKeyPath $f/other.key", "CertificateKeyMismatch", "does not belong to any certificate" },
        { "weak key", New + "-Certificate $weak", "CertificateKeyWeak", "has 1024 bits" },
        { "no RSA key", New + "-Certificate $elliptic", "", "is not an RSA key" },
        { "no RSA key in a file", New + "-CertificatePath $f/curve.pem", "CertificateKeyType", "is of type EC" },
        { "wrong password", New + "-CertificatePath $f/own.pfx -CertificatePassword wrong", "CertificatePassword", "the password does not open" },
        { "no password", New + "-CertificatePath $f/own.pfx", "CertificatePassword", "no password was given" },
        { "no key in the file", New + "-CertificatePath $f/own.crt", "CertificateNoKey", "there is no private key in" },
        { "no key with the object", New + "-Certificate $public", "", "comes without its private key" },
        { "protected to an account", New + "-CertificatePath $f/account.pfx -CertificatePassword $p", "CertificateProtected", "protected to a user account" },
        { "damaged", New + "-CertificatePath $f/damaged.pfx", "CertificateUnreadable", "damaged" },
        { "no file", New + "-CertificatePath /nowhere/a.pfx", "", "/nowhere/a.pfx" },
        { "not installed", New + "-CertificateThumbprint 0123456789012345678901234567890123456789", "", "No certificate with the thumbprint 0123456789012345678901234567890123456789" },
        { "no thumbprint", New + "-CertificateThumbprint Sx8~a-secret-in-the-wrong-place", "", "certificate's thumbprint is not one" },
        { "not registered", Ask + "(" + New + "-Certificate $stranger)", "", "AADSTS700027" },

        { "two certificates", New + "-CertificatePath $f/own.pfx -Certificate $own", "", "More than one certificate" },
        { "a password alone", New + "-CertificatePassword x", "", "without a certificate file" },
        { "a key alone", New + "-PrivateKey $kept", "", "without its certificate" },
        { "an algorithm alone", New + "-Secret x -AssertionAlgorithm PS256", "", "algorithm was given without a certificate" },
        { "a secret beside it", New + "-Secret x -Certificate $own", "", "both a secret and a certificate" },

        { "disabled in its vault", Vault + "-CertificateName disabled", "CertificateDisabled", "'disabled' is disabled in its vault" },
        { "disabled in its vault, signed there", Vault + "-CertificateName off -RemoteSigning", "CertificateDisabled", "'off' is disabled in its vault" },
        { "expired in its vault", Vault + "-CertificateName past", "CertificateExpired", "CN=Past expired on" },
        { "expired in its vault, signed there", Vault + "-CertificateName bygone -RemoteSigning", "CertificateExpired", "CN=Bygone expired on" },
        { "kept in its vault", Vault + "-CertificateName kept", "", "'kept' cannot leave its vault" },
        { "a certificate as a client secret", Vault + "-SecretName kept", "", "holds a certificate with its key" },
        { "not in the vault", Vault + "-CertificateName missing", "", "give the certificate 'missing'" },
        { "nothing named in the vault", Vault, "", "nothing in the vault was named" },
        { "two things named in the vault", Vault + "-CertificateName a -SecretName b", "", "both a certificate and a secret of the vault" },
        { "a secret that signs", Vault + "-SecretName b -RemoteSigning", "", "not with a secret" },
        { "no vault", New + "-VaultName '' -CertificateName a", "", "No key vault was given" },
        { "no application", "New-SecureAppCredential -VaultName any -CertificateName a", "", "No application id was given" },
    };

    [Theory]
    [MemberData(nameof(Defects))]
    public void A_defect_says_what_it_is(string defect, string script, string id, string said)
    {
        Assert.NotEmpty(defect);
        shop.Once("defects", Make);

        Outcome outcome = shop.Engine.Run(script);

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Empty(outcome.Output);
        Assert.Contains(said, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(id, PSObject.AsPSObject(error.Exception).Properties["Id"].Value);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        string all = error.ToString() + error.Exception + error.TargetObject;
        Assert.DoesNotContain("Sx8~", all);
        Assert.DoesNotContain(CertificateWorkshop.Password, all);
    }

    [Fact]
    public void No_two_defects_share_their_words() =>
        Assert.Equal(Defects.Count, Defects.Select(row => row.Data.Item4).Distinct(StringComparer.OrdinalIgnoreCase).Count());

    /// <summary>What the table's scripts name.</summary>
    private bool Make()
    {
        using X509Certificate2 other = TestCertificates.Create();
        using ECDsa curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using RSA key = RSA.Create(2048);
        X509Certificate2 early = new CertificateRequest("CN=Early", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now.AddDays(1), now.AddDays(9));
        X509Certificate2 elliptic = new CertificateRequest("CN=Curve", curve, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(9));
        shop.Engine.Set("expired", TestCertificates.Create("CN=Expired", days: -1));
        shop.Engine.Set("early", early);
        shop.Engine.Set("weak", TestCertificates.Create(bits: 1024));
        shop.Engine.Set("elliptic", elliptic);
        shop.Engine.Set("stranger", TestCertificates.Create("CN=Stranger", from: -3));
        shop.Write("other.key", other.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        shop.Write("curve.pem", elliptic.ExportCertificatePem() + "\n" + curve.ExportPkcs8PrivateKeyPem());
        byte[] pfx = shop.Own.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, CertificateWorkshop.Password);
        shop.Write("own.pfx", pfx);
        shop.Write("damaged.pfx", pfx[..200]);
        shop.Write("account.pfx", ProtectedToAccount());
        foreach ((string name, X509Certificate2 certificate, bool exportable, bool enabled) in new[]
        {
            ("disabled", shop.Own, true, false),
            ("off", shop.Own, true, false),
            ("past", TestCertificates.Create("CN=Past", days: -1), true, true),
            ("bygone", TestCertificates.Create("CN=Bygone", days: -1), false, true),
            ("kept", shop.Own, false, true),
        })
        {
            VaultCertificate.Import(shop.Engine, shop.Sandbox, name, certificate, VaultCertificate.Pkcs12, exportable, enabled);
        }

        return true;
    }

    /// <summary>What certmgr writes for 'Group or user names': a bag of Microsoft's own with the password, sealed by DPAPI-NG.</summary>
    private static byte[] ProtectedToAccount()
    {
        const string Data = "1.2.840.113549.1.7.1";
        var bags = new AsnWriter(AsnEncodingRules.DER);
        var explicitly = new Asn1Tag(TagClass.ContextSpecific, 0);
        using (bags.PushSequence())
        using (bags.PushSequence())
        {
            bags.WriteObjectIdentifier("1.2.840.113549.1.12.10.1.5");
            using (bags.PushSequence(explicitly))
            using (bags.PushSequence())
            {
                bags.WriteObjectIdentifier("1.3.6.1.4.1.311.17.4");
                using (bags.PushSequence(explicitly))
                {
                    bags.WriteOctetString(new byte[300]);
                }
            }
        }

        var content = new AsnWriter(AsnEncodingRules.DER);
        using (content.PushSequence())
        {
            Wrapped(content, bags.Encode());
        }

        var pfx = new AsnWriter(AsnEncodingRules.DER);
        using (pfx.PushSequence())
        {
            pfx.WriteInteger(3);
            Wrapped(pfx, content.Encode());
        }

        return pfx.Encode();

        void Wrapped(AsnWriter writer, byte[] inner)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Data);
                using (writer.PushSequence(explicitly))
                {
                    writer.WriteOctetString(inner);
                }
            }
        }
    }
}
