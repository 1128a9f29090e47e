using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>
/// Every source of a certificate, with both algorithms, on both endpoints: a token comes back, and the assertion that was sent
/// for it is judged by a JOSE implementation that nobody here wrote.
/// </summary>
public sealed class CertificateMatrixTests(CertificateWorkshop shop) : IClassFixture<CertificateWorkshop>
{
    public static MatrixTheoryData<string, string, string> Cells { get; } =
        new(CertificateSource.All.Select(source => source.Name), ["PS256", "RS256"], ["v1", "v2"]);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_certificate_gets_a_token_by_an_assertion_that_verifies(string source, string algorithm, string endpoint)
    {
        CertificateSource row = CertificateSource.All.Single(row => row.Name == source);
        Assert.SkipUnless(shop.Has(row), "The program that makes it is not installed here.");
        (string question, string path) = endpoint == "v1"
            ? ("-Resource 'https://graph.microsoft.com'", "oauth2/token")
            : ("-Scope 'https://graph.microsoft.com/.default'", "oauth2/v2.0/token");
        string script = $$"""
            $c = {{string.Format(row.Credential, "-AssertionAlgorithm " + algorithm)}}
            $t = Get-SecureAppAccessToken -Credential $c -TenantId $customer -ForceRefresh {{question}}
            $c.CertificateThumbprint; $t.AccessToken
            """;

        IReadOnlyList<string> lines = row.Alone
            ? shop.RunAlone(script)
            : [.. shop.Engine.Run(script).Succeeded().Output.Select(line => line.ToString())];

        var token = new JsonWebToken(lines[1]);
        Assert.Equal("2", token.GetClaim("appidacr").Value);
        await Verify(shop.Known(lines[0]), algorithm, $"{shop.Sandbox.Facts.Endpoints["login"]}/{token.GetClaim("tid").Value}/{path}");
    }

    /// <summary>The assertion that came last is by this certificate's key, for this endpoint, and as Microsoft wants it.</summary>
    private async Task Verify(X509Certificate2 certificate, string algorithm, string endpoint)
    {
        SandboxFacts facts = shop.Sandbox.Facts;
        string text = JsonSerializer.Deserialize<string[]>(shop.Sandbox.Send(HttpMethod.Get, "sandbox/assertions", null))![^1];
        using X509Certificate2 publicPart = X509CertificateLoader.LoadCertificate(certificate.RawData);
        TokenValidationResult verdict = await new JsonWebTokenHandler().ValidateTokenAsync(text, new TokenValidationParameters
        {
            ClockSkew = TimeSpan.FromMinutes(1),
            IssuerSigningKey = new RsaSecurityKey(publicPart.GetRSAPublicKey()),
            ValidAlgorithms = [algorithm],
            ValidAudience = endpoint,
            ValidIssuer = facts.ApplicationId,
            ValidTypes = ["JWT"],
        });
        Assert.True(verdict.IsValid, verdict.Exception?.ToString());
        var assertion = (JsonWebToken)verdict.SecurityToken;
        Assert.Equal(facts.ApplicationId, assertion.Subject);
        Assert.True(Guid.TryParse(assertion.Id, out _));
        Assert.InRange((assertion.ValidTo - assertion.ValidFrom).TotalMinutes, 5, 10);
        Assert.Equal(assertion.ValidFrom, assertion.IssuedAt);
        if (algorithm == "PS256")
        {
            Assert.Equal(Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA256)), assertion.GetHeaderValue<string>("x5t#S256"));
        }
        else
        {
            Assert.Equal(Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA1)), assertion.X5t);
        }
    }
}
