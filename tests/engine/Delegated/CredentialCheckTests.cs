using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Test-SecureAppCredential: one row a check, with the service's code and what to do.</summary>
public sealed class CredentialCheckTests
{
    [Fact]
    public void A_good_credential_passes()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Test-SecureAppCredential -Resource https://graph.microsoft.com").Succeeded();

        Assert.NotEmpty(outcome.Output);
        Assert.All(outcome.Output, row => Assert.Equal("Pass", row.Properties["Result"].Value));
    }

    [Fact]
    public void The_view_breaks_no_id_and_no_address()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);

        string screen = engine.Render("Test-SecureAppCredential -TenantId $customer");

        Assert.Contains(sandbox.Facts.ApplicationId, screen);
        Assert.Contains("in " + sandbox.Facts.Tenants[0].TenantId, screen);
        Assert.Contains("https://api.partnercenter.microsoft.com", screen);
    }

    [Fact]
    public void A_secret_that_ran_out_fails_with_code_and_remedy()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        sandbox.SetApplication(new { secretExpired = true });
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Test-SecureAppCredential").Succeeded();

        var failed = outcome.Output.First(row => (string)row.Properties["Result"].Value == "Fail");
        Assert.Equal("AADSTS7000222", failed.Properties["Code"].Value);
        Assert.NotEqual(string.Empty, failed.Properties["Remedy"].Value);
    }

    [Fact]
    public void A_tenant_that_is_none_is_refused_before_anything_is_sent()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);
        sandbox.ResetStats();

        Outcome outcome = engine.Run("Test-SecureAppCredential -TenantId 'not one'");

        Assert.Contains("neither a tenant id nor a domain", outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
        Assert.Empty(sandbox.TokenCounts());
    }
}
