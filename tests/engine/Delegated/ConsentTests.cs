using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Grant-, Get- and Revoke-SecureAppConsent against the sandbox's Partner Center.</summary>
public sealed class ConsentTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "4", "--records", "0");
    private readonly Engine _engine;

    public ConsentTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    [Fact]
    public void All_customers_consent_and_a_second_run_changes_nothing()
    {
        foreach (SandboxTenant tenant in _sandbox.Facts.Tenants.Skip(1))
        {
            _sandbox.SetTenant(tenant.TenantId, new { consent = "missing", servicePrincipal = false });
        }

        Outcome first = _engine.Run("$global:customers = Get-DelegatedTenant; $customers | Grant-SecureAppConsent").Succeeded();
        Assert.Equal(4 * 3, first.Output.Count);
        Assert.All(first.Output, row => Assert.Equal(true, row.Properties["Verified"].Value));
        Assert.Equal(3, first.Output.Count(row => Is(row, "AlreadyGranted")));
        Assert.Equal(9, first.Output.Count(row => Is(row, "Granted")));
        Assert.Contains(_sandbox.Facts.Tenants[3].DisplayName, first.Output.Select(row => row.Properties["DisplayName"].Value));

        _sandbox.ResetStats();
        Outcome second = _engine.Run("$customers | Grant-SecureAppConsent").Succeeded();
        Assert.All(second.Output, row => Assert.True(Is(row, "AlreadyGranted")));
        Assert.Empty(_sandbox.Changes());
    }

    [Fact]
    public void A_granted_permission_is_in_the_next_token_and_a_revoked_consent_gives_none()
    {
        _sandbox.SetTenant(_sandbox.Facts.Tenants[0].TenantId, new { consent = "missing" });
        const string Token = "Get-SecureAppAccessToken $customer -Resource https://manage.office.com";
        ErrorRecord refused = Assert.Single(_engine.Run(Token).Errors);
        Assert.Contains($"Grant-SecureAppConsent -TenantId {_sandbox.Facts.Tenants[0].TenantId}", refused.ErrorDetails.RecommendedAction);

        _engine.Run("$customer | Grant-SecureAppConsent -Resource https://manage.office.com").Succeeded();
        Assert.Equal(
            ["ActivityFeed.Read"],
            (string[])Assert.Single(_engine.Run($"{Token} | ConvertFrom-SecureAppAccessToken").Succeeded().Output).Properties["Scopes"].Value);

        PSObject revoked = Assert.Single(_engine.Run("Revoke-SecureAppConsent $customer -Confirm:$false").Succeeded().Output);
        Assert.True(Is(revoked, "Revoked"));
        Assert.Contains("AADSTS65001", Assert.Single(_engine.Run(Token).Errors).Exception.Message);
        Assert.True(Is(Assert.Single(_engine.Run("Revoke-SecureAppConsent $customer -Confirm:$false").Succeeded().Output), "NotGranted"));
    }

    [Fact]
    public void What_is_missing_is_shown_with_the_command_that_grants_it()
    {
        _sandbox.SetApplication(new { withheldPermissions = new[] { "SecurityAlert.Read.All" } });
        PSObject graph = Assert.Single(_engine.Run("Get-SecureAppConsent $customer -Resource https://graph.microsoft.com").Succeeded().Output);
        Assert.True(Is(graph, "Incomplete"));
        Assert.Equal(["SecurityAlert.Read.All"], (string[])graph.Properties["MissingScopes"].Value);
        Assert.Contains("Directory.Read.All", (string[])graph.Properties["GrantedScopes"].Value);
        Assert.Contains("Grant-SecureAppConsent -TenantId", (string)graph.Properties["Remedy"].Value);

        string screen = _engine.Render("Get-SecureAppConsent $customer");
        Assert.Contains("https://manage.office.com", screen);
        Assert.Contains("SecurityAlert.Read.All", screen);
    }

    [Fact]
    public void What_fails_is_a_row_and_an_error_and_the_others_go_on()
    {
        string closed = _sandbox.Facts.Tenants[1].TenantId;
        foreach (SandboxTenant tenant in _sandbox.Facts.Tenants)
        {
            _sandbox.SetTenant(tenant.TenantId, new { consent = "missing", consentRole = tenant.TenantId != closed });
        }

        Outcome outcome = _engine.Run("'no tenant', $sandbox.Tenants.TenantId | Grant-SecureAppConsent -Scope User.Read");

        Assert.Null(outcome.FailureRecord);
        Assert.Equal(4, outcome.Output.Count);
        PSObject failed = Assert.Single(outcome.Output, row => Is(row, "Failed"));
        ErrorRecord error = Assert.Single(outcome.Errors, error => error.TargetObject is string target && target == closed);
        Assert.Equal(2, outcome.Errors.Count);
        Assert.Equal(error.ErrorDetails.RecommendedAction, failed.Properties["Remedy"].Value);
        Assert.Contains("AdminAgents", error.ErrorDetails.RecommendedAction);
        Assert.Equal(
            $"{_sandbox.Facts.Endpoints["login"]}/{closed}/adminconsent?client_id={_sandbox.Facts.ApplicationId}",
            failed.Properties["AdminConsentUri"].Value.ToString());
    }

    [Fact]
    public void WhatIf_lists_customers_and_permissions_and_sends_nothing()
    {
        _engine.Run("$global:customers = Get-DelegatedTenant").Succeeded();
        _sandbox.ResetStats();

        Outcome grant = _engine.Run("$customers | Grant-SecureAppConsent -WhatIf; Revoke-SecureAppConsent $customer -WhatIf").Succeeded();

        Assert.Empty(grant.Output);
        Assert.All(_sandbox.Facts.Tenants, tenant => Assert.Contains($"{tenant.DisplayName} ({tenant.TenantId})", grant.Screen));
        Assert.Contains("https://manage.office.com: ActivityFeed.Read", grant.Screen);
        Assert.Contains("Directory.Read.All, SecurityAlert.Read.All", grant.Screen);
        Assert.Contains("remove all consent to the application and grant it again", grant.Screen);
        Assert.Contains("Revoke all consent", grant.Screen);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("Grant-SecureAppConsent", "No tenant was given")]
    [InlineData("Grant-SecureAppConsent 'no tenant'", "neither a tenant id nor a domain")]
    [InlineData("Grant-SecureAppConsent $customer -Scope $missing", "-Scope is empty")]
    [InlineData("Grant-SecureAppConsent $customer -Scope .default", "names no permission")]
    [InlineData("Grant-SecureAppConsent $customer -Resource https://contoso.example", "no API that is known by name")]
    [InlineData("Grant-SecureAppConsent $customer -Resource fc780465-2017-40d4-a0c5-307022471b92", "which permissions")]
    [InlineData("Get-SecureAppConsent $customer -Resource https://graph.microsoft.com, https://manage.office.com -Scope User.Read", "to which of the APIs")]
    [InlineData("Get-SecureAppConsent $customer @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId }", "on behalf of a user")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(script);

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Empty(outcome.Output);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private static bool Is(PSObject row, string outcome) => (string)row.Properties["Outcome"].Value == outcome;
}
