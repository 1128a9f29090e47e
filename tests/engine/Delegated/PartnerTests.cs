using System.Management.Automation;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>The customers of two partners, whose users have the same application: as a control panel vendor works.</summary>
public sealed class PartnerTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "8", "--records", "40", "--second-partner");
    private readonly Engine _engine;
    private readonly SandboxPartner _second;

    public PartnerTests()
    {
        _second = _sandbox.Facts.SecondPartner!;
        _engine = Engine.Open().Join(_sandbox);
        _engine.Run(
            """
            $global:other = New-SecureAppCredential -ApplicationId $sandbox.ApplicationId -TenantId $sandbox.SecondPartner.TenantId `
                -Secret (ConvertTo-Secret $sandbox.Secret) -RefreshToken (ConvertTo-Secret $sandbox.SecondPartner.RefreshToken)
            """).Succeeded();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData("$credential, $other | Get-DelegatedTenant")]
    [InlineData("Get-DelegatedTenant $credential, $other")]
    public void Customers_come_once_for_each_partner_with_its_tenant(string script)
    {
        Outcome outcome = _engine.Run(script).Succeeded();

        ILookup<string, string> customers = outcome.Output.ToLookup(
            customer => (string)customer.Properties["PartnerTenantId"].Value, customer => (string)customer.Properties["TenantId"].Value);
        Assert.Equal(2, customers.Count);
        Assert.Equal(_second.CustomerIds.Order(), customers[_second.TenantId].Order());
        Assert.Equal(_sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).Order(), outcome.Output.Select(customer => (string)customer.Properties["TenantId"].Value).Distinct().Order());
        Assert.NotEmpty(customers[_sandbox.Facts.PartnerTenantId].Intersect(_second.CustomerIds));
        Assert.NotEmpty(_second.CustomerIds.Except(customers[_sandbox.Facts.PartnerTenantId]));
    }

    [Fact]
    public void A_partner_that_fails_is_an_error_and_the_others_go_on()
    {
        Outcome outcome = _engine.Run(
            """
            $global:wrong = New-SecureAppCredential -ApplicationId $sandbox.ApplicationId -TenantId $sandbox.PartnerTenantId -Secret (ConvertTo-Secret wrong-secret-of-a-test)
            $homeless = New-SecureAppCredential -ApplicationId $sandbox.ApplicationId -Secret (ConvertTo-Secret $sandbox.Secret)
            $wrong, @{ appId = $sandbox.ApplicationId }, $homeless, $other | Get-DelegatedTenant
            """);

        Assert.Equal(_second.CustomerIds.Order(), outcome.Output.Select(customer => (string)customer.Properties["TenantId"].Value).Order());
        Assert.Null(outcome.FailureRecord);
        Assert.Equal(3, outcome.Errors.Count);
        Assert.Contains("AADSTS7000215", outcome.Errors[0].Exception.Message);
        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Errors[0].TargetObject);
        Assert.Contains("secret", outcome.Errors[1].Exception.Message);
        Assert.Contains("-TenantId", outcome.Errors[2].Exception.Message);

        Assert.Contains("AADSTS7000215", _engine.Refused("Get-DelegatedTenant -Credential $wrong").Exception.Message);
    }

    [Fact]
    public void The_home_of_a_user_whose_tenant_was_not_said_is_known_from_the_list()
    {
        Outcome outcome = _engine.Run(
            """
            $user = New-SecureAppCredential -ApplicationId $sandbox.ApplicationId `
                -Secret (ConvertTo-Secret $sandbox.Secret) -RefreshToken (ConvertTo-Secret $sandbox.SecondPartner.RefreshToken)
            Get-DelegatedTenant $user
            $mine = Get-DelegatedTenant $credential
            $null = $mine | Get-SecureAppAccessToken -Credential $user -Resource https://graph.microsoft.com
            """);

        Assert.Equal(_second.CustomerIds.Count, outcome.Output.Count);
        Assert.All(outcome.Output, customer => Assert.Equal(_second.TenantId, customer.Properties["PartnerTenantId"].Value));
        Assert.NotEmpty(outcome.Errors);
        Assert.All(outcome.Errors, error => Assert.Contains("is a customer of the partner " + _sandbox.Facts.PartnerTenantId, error.Exception.Message));
    }

    [Theory]
    [InlineData("$all | Get-SecureAppAccessToken -Resource https://graph.microsoft.com")]
    [InlineData("$all | Invoke-SecureAppRequest /v1.0/organization")]
    [InlineData("$all | Invoke-DelegatedTenantCommand -Resource https://graph.microsoft.com { $Tenant }")]
    [InlineData("$all | Get-SecureAppAuditSubscription")]
    [InlineData("$all | Get-DelegatedTenantSecureScore")]
    [InlineData("$all | Resolve-SecureAppObjectId $sandbox.ApplicationId")]
    [InlineData("$all | ForEach-Object { [pscustomobject]@{ AppId = $sandbox.ApplicationId; CustomerId = $_.TenantId; PartnerTenantId = $_.PartnerTenantId } } | Resolve-SecureAppObjectId")]
    [InlineData("Get-SecureAppAccessToken -TenantId $all -Resource https://graph.microsoft.com")]
    [InlineData("$all | ForEach-Object { [pscustomobject]@{ TenantId = $_.TenantId; PartnerTenantId = $_.PartnerTenantId } } | Get-SecureAppAccessToken -Resource https://graph.microsoft.com")]
    public void A_customer_is_acted_in_only_with_a_user_of_its_partner(string script)
    {
        _engine.Run("$global:all = $credential, $other | Get-DelegatedTenant").Succeeded();
        int own = _engine.Run("$all | Where-Object PartnerTenantId -EQ $sandbox.PartnerTenantId").Succeeded().Output.Count;

        Outcome outcome = _engine.Run(script);

        Assert.Equal(_second.CustomerIds.Order(), outcome.Errors.Select(error => (string)error.TargetObject).Order());
        Assert.All(outcome.Errors, error => Assert.Contains("is a customer of the partner " + _second.TenantId, error.Exception.Message));
        Assert.Equal(own, outcome.Output.Select(Tenant).Distinct().Count());
    }

    [Theory]
    [InlineData("$all")]
    [InlineData("$all | ForEach-Object { [pscustomobject]@{ Organization = $_.TenantId; PartnerTenantId = $_.PartnerTenantId } }")]
    public void A_search_in_another_partners_customer_is_refused_unsent(string customers)
    {
        _engine.Run("$global:all = $credential, $other | Get-DelegatedTenant").Succeeded();
        string[] strangers = [.. _second.CustomerIds.Except(_engine.Run("(Get-DelegatedTenant).TenantId").Succeeded().Output.Select(id => id.ToString()))];
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(customers + " | Search-SecureAppUnifiedAuditLog -StartDate ([datetime]::UtcNow.AddDays(-6)) -EndDate ([datetime]::UtcNow)");

        Assert.Equal(_second.CustomerIds.Order(), outcome.Errors.Select(error => (string)error.TargetObject).Order());
        Assert.All(outcome.Errors, error => Assert.Contains("is a customer of the partner " + _second.TenantId, error.Exception.Message));
        Assert.NotEmpty(_sandbox.TokenCounts());
        Assert.NotEmpty(strangers);
        Assert.DoesNotContain(_sandbox.TokenCounts(), count => strangers.Contains(count.TenantId));
    }

    /// <summary>A table is another credential in each command, and names no tenant; its refresh token is the same.</summary>
    [Fact]
    public void The_home_of_a_table_is_known_from_the_list_that_was_read_with_it()
    {
        Outcome outcome = _engine.Run(
            """
            $mine = @{ appID = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }
            $theirs = @{ appID = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.SecondPartner.RefreshToken }
            $all = $mine, $theirs | Get-DelegatedTenant
            $null = $all | Get-SecureAppAccessToken -Credential $mine -Resource https://graph.microsoft.com
            """);

        Assert.Equal(_second.CustomerIds.Order(), outcome.Errors.Select(error => (string)error.TargetObject).Order());
        Assert.All(outcome.Errors, error => Assert.Contains("is a customer of the partner " + _second.TenantId, error.Exception.Message));
    }

    [Fact]
    public void Rows_without_a_tenant_each_fail_alone()
    {
        Outcome outcome = _engine.Run(
            """
            foreach ($row in 1, 2) { $rows += @([pscustomobject]@{ TenantId = ''; PartnerTenantId = 'x' }) }
            $rows + @([pscustomobject]@{ TenantId = $customer }) | Get-SecureAppAccessToken -Resource https://graph.microsoft.com
            """);

        Assert.Null(outcome.Failure);
        Assert.Equal(["The tenant is empty.", "The tenant is empty."], outcome.Errors.Select(error => error.ErrorDetails.Message));
        Assert.Single(outcome.Output);
    }

    [Fact]
    public void A_script_in_a_customer_of_two_partners_has_the_one_that_was_piped()
    {
        Outcome outcome = _engine.Run(
            """
            $mine = Get-DelegatedTenant $credential
            $null = Get-DelegatedTenant $other
            ($mine | Invoke-DelegatedTenantCommand -Resource https://graph.microsoft.com { $Tenant.PartnerTenantId }) -ne $sandbox.PartnerTenantId
            """).Succeeded();

        Assert.Empty(outcome.Output);
    }

    [Fact]
    public void The_application_itself_and_an_export_of_the_own_customers_are_not_refused()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        _engine.Set("folder", folder);
        _engine.Run("$global:all = $credential, $other | Get-DelegatedTenant").Succeeded();

        _engine.Run("$all | Get-SecureAppAccessToken -AppOnly -Resource https://graph.microsoft.com").Succeeded();
        Outcome exports = _engine.Run(
            """
            foreach ($partner in $credential, $other) {
                Get-DelegatedTenant $partner -Source PartnerCenter | Export-SecureAppAuditLog -Path "$folder/$($partner.TenantId)" -Credential $partner
            }
            """).Succeeded();

        Assert.NotEmpty(exports.Output);
        Leaks.Recorder.HearAndDelete(folder);
    }

    [Fact]
    public void A_named_tenant_goes_with_one_partner()
    {
        Assert.Contains("-TenantId goes with one credential", _engine.RefusedUnsent(_sandbox, "Get-DelegatedTenant $credential, $other -TenantId $customer").Exception.Message);
        Assert.Single(_engine.Run("Get-DelegatedTenant $credential -TenantId $customer").Succeeded().Output);
    }

    [Theory]
    [InlineData("Get-DelegatedTenant -Credential @()")]
    [InlineData("Get-DelegatedTenant -Credential $unset")]
    [InlineData("$null | Get-DelegatedTenant")]
    public void No_credential_at_all_is_not_the_default(string script)
    {
        Assert.Contains("-Credential was given, but is empty", _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    private static string Tenant(PSObject item) => (string)(item.Properties["PSTenantId"] ?? item.Properties["TenantId"]).Value;
}
