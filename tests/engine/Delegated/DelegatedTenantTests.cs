using System.Management.Automation;
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
    public void Customers_are_narrowed_by_name_domain_and_source_before_access_is_tried()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "8", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);
        SandboxTenant one = sandbox.Facts.Tenants[0];
        engine.Set("name", one.DisplayName[..4] + "*");
        engine.Run("$global:all = Get-DelegatedTenant").Succeeded();
        sandbox.ResetStats();

        Outcome byName = engine.Run("Get-DelegatedTenant -Name $name, 'nobody?' -CheckAccess").Succeeded();

        Assert.Equal(
            sandbox.Facts.Tenants.Where(tenant => tenant.DisplayName.StartsWith(one.DisplayName[..4], StringComparison.OrdinalIgnoreCase)).Select(tenant => tenant.TenantId).Order(),
            byName.Output.Select(item => (string)item.Properties["TenantId"].Value).Order());
        Assert.Equal(byName.Output.Count, sandbox.TokenCounts().Select(count => count.TenantId).Distinct().Count(id => id != sandbox.Facts.PartnerTenantId));
        foreach (string filter in new[] { "-Domain *.onmicrosoft.com", "-Source PartnerCenter" })
        {
            string condition = filter.StartsWith("-D", StringComparison.Ordinal) ? "$_.DefaultDomainName" : "$_.Sources -contains 'PartnerCenter'";
            Assert.Equal(
                engine.Run("($all | Where-Object { " + condition + " }).TenantId").Succeeded().Output.Select(id => id.BaseObject),
                engine.Run("(Get-DelegatedTenant " + filter + ").TenantId").Succeeded().Output.Select(id => id.BaseObject));
        }

        Assert.Contains("-Name is empty", Assert.Single(engine.Run("Get-DelegatedTenant -Name $missing").Errors).Exception.Message);
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
        Assert.Contains("No: AADSTS65001", screen);
        Assert.All(sandbox.Facts.Tenants, tenant => Assert.Contains(tenant.TenantId, screen));
    }

    /// <summary>The longest codes there are have seven digits.</summary>
    [Fact]
    public void The_view_shows_a_refusals_code_whole()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);
        sandbox.AddFault(new
        {
            match = new { service = "login", tenantId = sandbox.Facts.Tenants[0].TenantId },
            times = -1,
            action = new { kind = "status", status = 400, body = """{"error":"invalid_request","error_description":"AADSTS7000123: Something is wrong.","error_codes":[7000123]}""" },
        });

        Assert.Contains("No: AADSTS7000123", engine.Render("Get-DelegatedTenant -CheckAccess"));
    }

    [Fact]
    public void A_customer_without_a_contract_is_given_by_its_id()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Get-DelegatedTenant -TenantId $sandbox.PartnerTenantId, $customer").Succeeded();

        Assert.Equal([sandbox.Facts.PartnerTenantId, sandbox.Facts.Tenants[0].TenantId], outcome.Output.Select(item => (string)item.Properties["TenantId"].Value));
        Assert.Empty((string[])outcome.Output[0].Properties["Sources"].Value);
        Assert.Equal(sandbox.Facts.Tenants[0].DisplayName, outcome.Output[1].Properties["DisplayName"].Value);
        Assert.Contains("neither a tenant id nor a domain", engine.RefusedUnsent(sandbox, "Get-DelegatedTenant -TenantId 'no tenant'").Exception.Message);
    }

    [Fact]
    public void A_list_that_is_young_enough_is_not_read_again()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "3", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);
        engine.Run("Get-DelegatedTenant").Succeeded();
        sandbox.ResetStats();

        Outcome kept = engine.Run("Get-DelegatedTenant -MaximumAge 01:00:00").Succeeded();

        Assert.Equal(3, kept.Output.Count);
        Assert.All(kept.Output, customer => Assert.Equal(sandbox.Facts.PartnerTenantId, customer.Properties["PartnerTenantId"].Value));
        Assert.Equal(0, sandbox.Stats()["requests"]!.GetValue<int>());
        Assert.Single(engine.Run("Get-DelegatedTenant -MaximumAge 01:00:00 -Name $args[0]", kept.Output[1].Properties["DisplayName"].Value).Succeeded().Output);
        Assert.Equal(0, sandbox.Stats()["requests"]!.GetValue<int>());

        Assert.Equal(3, engine.Run("Get-DelegatedTenant -MaximumAge 0").Succeeded().Output.Count);
        Assert.NotEqual(0, sandbox.Stats()["requests"]!.GetValue<int>());
        Assert.Contains("-MaximumAge is negative", engine.RefusedUnsent(sandbox, "Get-DelegatedTenant -MaximumAge -00:01:00").Exception.Message);
    }
}
