using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>A certificate comes out of the vault with a key that signs, whichever way the vault keeps it.</summary>
public sealed class KeyVaultCertificateTests : IDisposable
{
    private const string Pkcs12 = "application/x-pkcs12";
    private const string Pem = "application/x-pem-file";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public KeyVaultCertificateTests() => _engine = Engine.Open().Join(_sandbox);

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData(Pkcs12)]
    [InlineData(Pem)]
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
        using X509Certificate2 original = Import("kept", Pkcs12, exportable: false);

        Outcome outcome = _engine.Run("Get-SecureAppKeyVaultCertificate any kept").Succeeded();

        using var found = outcome.Single<X509Certificate2>();
        Assert.Equal(original.Thumbprint, found.Thumbprint);
        Assert.False(found.HasPrivateKey);
        Assert.Contains("cannot leave the vault", Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void An_earlier_version_can_be_named()
    {
        using X509Certificate2 first = Import("renewed", Pkcs12, exportable: true);
        string version = _engine.Run("(Get-SecureAppKeyVaultSecret any renewed).Version").Succeeded().Single<string>();
        using X509Certificate2 second = Import("renewed", Pem, exportable: true);

        Outcome outcome = _engine.Run(
            "param($version) (Get-SecureAppKeyVaultCertificate any renewed).Thumbprint; (Get-SecureAppKeyVaultCertificate any renewed -Version $version).Thumbprint", version).Succeeded();

        Assert.Equal([second.Thumbprint, first.Thumbprint], outcome.Output.Select(item => item.BaseObject));
    }

    private X509Certificate2 Import(string name, string contentType, bool exportable)
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest("CN=vault", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(90));
        string value = contentType == Pem
            ? key.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem()
            : Convert.ToBase64String(certificate.Export(X509ContentType.Pkcs12, "import password"));
        string token = _engine.Run("param($resource) (Get-SecureAppAccessToken -TenantId $sandbox.PartnerTenantId -Resource $resource).AccessToken", _sandbox.Facts.Endpoints["keyVault"])
            .Succeeded().Single<string>();
        using HttpClient client = _sandbox.Client("keyVault");
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        string body = JsonSerializer.Serialize(new
        {
            value,
            pwd = "import password",
            policy = new { key_props = new { exportable }, secret_props = new { contentType } },
        });
        using HttpResponseMessage reply = client.Send(new HttpRequestMessage(HttpMethod.Post, $"certificates/{name}/import?api-version=7.4")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        });
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return certificate;
    }
}
