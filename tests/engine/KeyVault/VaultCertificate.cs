using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>Puts certificates into the sandbox's vault, as an administrator imports them.</summary>
public static class VaultCertificate
{
    public const string Pkcs12 = "application/x-pkcs12";
    public const string Pem = "application/x-pem-file";

    /// <param name="engine">A session that may write to the vault.</param>
    /// <param name="sandbox">Whose vault it is.</param>
    /// <param name="name">The certificate's name there.</param>
    /// <param name="certificate">With its RSA key.</param>
    /// <param name="contentType">How the vault keeps it: <see cref="Pkcs12"/> or <see cref="Pem"/>.</param>
    /// <param name="exportable">Whether the key may leave the vault.</param>
    /// <param name="enabled">Whether it may be used at all.</param>
    public static void Import(
        Engine engine, Sandbox sandbox, string name, X509Certificate2 certificate, string contentType, bool exportable = true, bool enabled = true)
    {
        string token = engine.Run(
            "param($resource) (Get-SecureAppAccessToken -TenantId $sandbox.PartnerTenantId -Resource $resource).AccessToken", sandbox.Facts.Endpoints["keyVault"])
            .Succeeded().Single<string>();
        using HttpClient client = sandbox.Client("keyVault");
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        string body = JsonSerializer.Serialize(new
        {
            value = contentType == Pem
                ? certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem()
                : Convert.ToBase64String(certificate.Export(X509ContentType.Pkcs12, "import password")),
            pwd = "import password",
            attributes = new { enabled },
            policy = new { key_props = new { exportable }, secret_props = new { contentType } },
        });
        using HttpResponseMessage reply = client.Send(new HttpRequestMessage(HttpMethod.Post, $"certificates/{name}/import?api-version=7.4")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        });
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
    }
}
