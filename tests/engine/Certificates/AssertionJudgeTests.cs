using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>The assertions as they were sent, judged by a JOSE implementation that nobody here wrote.</summary>
public sealed class AssertionJudgeTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    [Theory]
    [InlineData("PS256", "-Resource 'https://graph.microsoft.com'", "oauth2/token")]
    [InlineData("PS256", "-Scope 'https://graph.microsoft.com/.default'", "oauth2/v2.0/token")]
    [InlineData("RS256", "-Resource 'https://graph.microsoft.com'", "oauth2/token")]
    [InlineData("RS256", "-Scope 'https://graph.microsoft.com/.default'", "oauth2/v2.0/token")]
    public async Task An_assertion_verifies_with_IdentityModel(string algorithm, string question, string path)
    {
        SandboxFacts facts = shared.Sandbox.Facts;
        using X509Certificate2 certificate = TestCertificates.Registered(shared.Sandbox);
        using Engine engine = Engine.Open().Join(shared.Sandbox);
        engine.Set("id", facts.ApplicationId);
        engine.Set("certificate", certificate);
        string endpoint = $"{facts.Endpoints["login"]}/{facts.Tenants[0].TenantId}/{path}";

        engine.Run(
            $"Get-SecureAppAccessToken -TenantId $customer {question} -Credential (New-SecureAppCredential $id -Certificate $certificate -AssertionAlgorithm {algorithm})").Succeeded();

        string text = JsonSerializer.Deserialize<string[]>(shared.Sandbox.Send(HttpMethod.Get, "sandbox/assertions", null))![^1];
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
        var token = (JsonWebToken)verdict.SecurityToken;
        Assert.Equal(facts.ApplicationId, token.Subject);
        Assert.True(Guid.TryParse(token.Id, out _));
        Assert.InRange((token.ValidTo - token.ValidFrom).TotalMinutes, 5, 10);
        Assert.Equal(token.ValidFrom, token.IssuedAt);
        if (algorithm == "PS256")
        {
            Assert.Equal(Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA256)), token.GetHeaderValue<string>("x5t#S256"));
        }
        else
        {
            Assert.Equal(Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA1)), token.X5t);
        }
    }
}
