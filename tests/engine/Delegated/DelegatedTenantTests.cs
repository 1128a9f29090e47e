using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Get-DelegatedTenant: the partner's customers, once each, and whether they can be reached.</summary>
public sealed class DelegatedTenantTests
{
    [Fact]
    public void Every_customer_is_listed_once_with_its_names()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "5", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Get-DelegatedTenant").Succeeded();

        Assert.Equal(
            sandbox.Facts.Tenants.Select(tenant => (tenant.TenantId, tenant.DisplayName)).Order(),
            outcome.Output.Select(item => ((string)item.Properties["TenantId"].Value, (string)item.Properties["DisplayName"].Value)).Order());
        Assert.All(outcome.Output, item => Assert.Null(item.Properties["HasAccess"].Value));
    }

    [Fact]
    public void CheckAccess_says_for_whom_no_token_can_be_had_and_why()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "3", "--records", "0");
        string closed = sandbox.Facts.Tenants[1].TenantId;
        sandbox.SetTenant(closed, new { consent = "missing" });
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Get-DelegatedTenant -CheckAccess").Succeeded();

        var refused = Assert.Single(outcome.Output, item => !(bool)item.Properties["HasAccess"].Value);
        Assert.Equal(closed, refused.Properties["TenantId"].Value);
        Assert.Contains("AADSTS65001", ((Exception)refused.Properties["AccessError"].Value).Message);
    }

    [Fact]
    public void The_view_says_yes_and_no()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "0");
        sandbox.SetTenant(sandbox.Facts.Tenants[1].TenantId, new { consent = "missing" });
        using Engine engine = Engine.Open().Join(sandbox);

        string screen = engine.Render("Get-DelegatedTenant -CheckAccess");

        Assert.Matches(@"\bYes\b", screen);
        Assert.Matches(@"\bNo\b", screen);
    }
}
