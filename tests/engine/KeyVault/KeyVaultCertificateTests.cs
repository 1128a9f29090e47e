using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using SecureAppModel.EngineTests.Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>A certificate comes out of the vault with a key that signs, whichever way the vault keeps it.</summary>
public sealed class KeyVaultCertificateTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public KeyVaultCertificateTests() => _engine = Engine.Open().Join(_sandbox);

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData(VaultCertificate.Pkcs12)]
    [InlineData(VaultCertificate.Pem)]
    public void A_certificate_comes_with_its_key(string contentType)
    {
        using X509Certificate2 original = Import("signing", contentType, exportable: true);

        using var found = _engine.Run("Get-SecureAppKeyVaultCertificate any signing").Succeeded().Single<X509Certificate2>();

        Assert.Equal(original.Thumbprint, found.Thumbprint);
        Assert.True(found.HasPrivateKey);
        byte[] data = Encoding.UTF8.GetBytes("data");
        byte[] signature = found.GetRSAPrivateKey()!.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        Assert.True(original.GetRSAPublicKey()!.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
    }

    [Fact]
    public void A_key_that_stays_in_the_vault_is_said_to_and_the_certificate_comes_without_it()
    {
        using X509Certificate2 original = Import("kept", VaultCertificate.Pkcs12, exportable: false);

        Outcome outcome = _engine.Run("Get-SecureAppKeyVaultCertificate any kept").Succeeded();

        using var found = outcome.Single<X509Certificate2>();
        Assert.Equal(original.Thumbprint, found.Thumbprint);
        Assert.False(found.HasPrivateKey);
        Assert.Contains("cannot leave the vault", Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void An_earlier_version_can_be_named()
    {
        using X509Certificate2 first = Import("renewed", VaultCertificate.Pkcs12, exportable: true);
        string version = _engine.Run("(Get-SecureAppKeyVaultSecret any renewed).Version").Succeeded().Single<string>();
        using X509Certificate2 second = Import("renewed", VaultCertificate.Pem, exportable: true);

        Outcome outcome = _engine.Run(
            "param($version) (Get-SecureAppKeyVaultCertificate any renewed).Thumbprint; (Get-SecureAppKeyVaultCertificate any renewed -Version $version).Thumbprint", version).Succeeded();

        Assert.Equal([second.Thumbprint, first.Thumbprint], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_wrong_row_of_a_table_fails_alone()
    {
        using X509Certificate2 original = Import("signing", VaultCertificate.Pkcs12, exportable: true);

        Outcome outcome = _engine.Run(
            "[pscustomobject]@{ Name = '' }, [pscustomobject]@{ Name = 'missing' }, [pscustomobject]@{ Name = 'signing' } | Get-SecureAppKeyVaultCertificate any");

        Assert.Null(outcome.Failure);
        Assert.Equal(original.Thumbprint, outcome.Single<X509Certificate2>().Thumbprint);
        Assert.Equal(["row 1 of the input", "missing"], outcome.Errors.Select(error => error.TargetObject));
    }

    private X509Certificate2 Import(string name, string contentType, bool exportable)
    {
        X509Certificate2 certificate = TestCertificates.Create("CN=vault");
        VaultCertificate.Import(_engine, _sandbox, name, certificate, contentType, exportable);
        return certificate;
    }
}
