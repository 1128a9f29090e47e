using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>
/// Azure's own client against the sandbox's vault, with documented options only, and both sides of one secret: what one
/// client writes the other reads. The vault is not below the domain that its challenge names (it is localhost), which is
/// what <see cref="SecretClientOptions.DisableChallengeResourceVerification"/> is for.
/// </summary>
public sealed class KeyVaultJudgeTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [InlineData("resource")]
    [InlineData("scope")]
    public void Azures_secret_client_reads_and_writes_the_vault(string challenge)
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/vault", new { challenge });
        SecretClient client = Client();

        KeyVaultSecret first = client.SetSecret(new KeyVaultSecret("shared", "from the SDK")
        {
            Properties = { ContentType = "text/plain", ExpiresOn = DateTimeOffset.UtcNow.AddDays(1), Tags = { ["made"] = "by" } },
        });
        first.Properties.Enabled = true;
        first.Properties.Tags["more"] = "yes";
        SecretProperties updated = client.UpdateSecretProperties(first.Properties);
        client.SetSecret("shared", "again");

        Assert.Equal("from the SDK", client.GetSecret("shared", first.Properties.Version).Value.Value);
        Assert.Equal("again", client.GetSecret("shared").Value.Value);
        Assert.Equal("yes", updated.Tags["more"]);
        Assert.Equal(2, client.GetPropertiesOfSecretVersions("shared").Count());
    }

    [Fact]
    public void Azures_secret_client_pages_deletes_and_recovers()
    {
        SecretClient client = Client();
        for (int n = 0; n < 30; n++)
        {
            client.SetSecret($"s{n}", "v");
        }

        Assert.Equal(30, client.GetPropertiesOfSecrets().Count());
        client.StartDeleteSecret("s7").WaitForCompletion(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        Assert.Equal("SecretNotFound", Assert.Throws<RequestFailedException>(() => client.GetSecret("s7")).ErrorCode);
        Assert.Equal(409, Assert.Throws<RequestFailedException>(() => client.SetSecret("s7", "x")).Status);
        Assert.Equal("s7", Assert.Single(client.GetDeletedSecrets()).Name);
        _sandbox.Send(HttpMethod.Post, "sandbox/vault", new { recoveryRequests = 2 });
        client.StartRecoverDeletedSecret("s7").WaitForCompletion(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        Assert.Equal("v", client.GetSecret("s7").Value.Value);
    }

    [Fact]
    public void What_one_client_writes_the_other_reads()
    {
        SecretClient client = Client();
        using Engine engine = Engine.Open().Join(_sandbox);

        client.SetSecret("theirs", "their value");
        engine.Run("$null = Set-SecureAppKeyVaultSecret any ours (ConvertTo-Secret 'our value')").Succeeded();

        Assert.Equal("our value", client.GetSecret("ours").Value.Value);
        Assert.Equal("their value", engine.Run("Get-SecureAppKeyVaultSecret any theirs -AsPlainText").Succeeded().Single<string>());
    }

    private SecretClient Client()
    {
        var options = new SecretClientOptions
        {
            Transport = new HttpClientTransport(_sandbox.Client("keyVault")),
            DisableChallengeResourceVerification = true,
        };
        return new SecretClient(new Uri(_sandbox.Facts.Endpoints["keyVault"]), new SandboxApplication(_sandbox), options);
    }

    /// <summary>The sandbox's application, by its secret.</summary>
    private sealed class SandboxApplication(Sandbox sandbox) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext context, CancellationToken cancellation)
        {
            using HttpClient client = sandbox.Client("login");
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = sandbox.Facts.ApplicationId,
                ["client_secret"] = sandbox.Facts.Secret,
                ["scope"] = string.Join(' ', context.Scopes),
            });
            string tenant = context.TenantId ?? sandbox.Facts.PartnerTenantId;
            using HttpResponseMessage reply = client.Send(
                new HttpRequestMessage(HttpMethod.Post, $"{tenant}/oauth2/v2.0/token") { Content = form }, cancellation);
            using var json = System.Text.Json.JsonDocument.Parse(reply.Content.ReadAsStream(cancellation));
            return new AccessToken(json.RootElement.GetProperty("access_token").GetString()!, DateTimeOffset.UtcNow.AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext context, CancellationToken cancellation) =>
            new(GetToken(context, cancellation));
    }
}
