using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>-TenantId completes from what Get-DelegatedTenant has listed in this session, and asks nobody.</summary>
public sealed class TenantCompletionTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "6", "--records", "0");
    private readonly Engine _engine;

    public TenantCompletionTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users")]
    [InlineData("Invoke-DelegatedTenantCommand { }")]
    [InlineData("Export-SecureAppAuditLog")]
    [InlineData("Search-SecureAppUnifiedAuditLog")]
    [InlineData("Get-SecureAppAuditSubscription")]
    [InlineData("Grant-SecureAppConsent")]
    [InlineData("Connect-DelegatedTenant")]
    [InlineData("Test-SecureAppCredential")]
    [InlineData("Clear-SecureAppTokenCache")]
    [InlineData("Get-DelegatedTenant")]
    [InlineData("Resolve-SecureAppObjectId")]
    [InlineData("Send-SecureAppMailMessage")]
    [InlineData("Get-DelegatedTenantSecureScore")]
    [InlineData("Invoke-SecureAppExchangeCommand Get-Mailbox")]
    [InlineData("Watch-SecureAppAuditLog")]
    public void A_tenant_is_completed_by_name_domain_and_id(string command)
    {
        Assert.Empty(Complete(command, ""));
        _engine.Run("Get-DelegatedTenant").Succeeded();
        _sandbox.ResetStats();
        string domain = (string)_engine.Run("(Get-DelegatedTenant | Where-Object DefaultDomainName)[0].DefaultDomainName").Succeeded().Output[0].BaseObject;
        SandboxTenant tenant = _sandbox.Facts.Tenants.Single(tenant => tenant.DefaultDomainName == domain);
        _sandbox.ResetStats();

        Assert.Equal(6, Complete(command, "").Count);
        foreach (string typed in new[] { tenant.DisplayName[..4], domain[..5], tenant.TenantId[..8], "'" + tenant.DisplayName[..4] })
        {
            CompletionResult found = Assert.Single(Complete(command, typed), found => found.CompletionText == domain);
            Assert.Equal((tenant.DisplayName, $"{tenant.DisplayName} ({tenant.TenantId})"), (found.ListItemText, found.ToolTip));
        }

        Assert.Empty(Complete(command, "zzzz"));
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private IReadOnlyList<CompletionResult> Complete(string command, string typed)
    {
        string line = command + " -TenantId " + typed;
        using var shell = PowerShell.Create(_engine.Runspace);
        return CommandCompletion.CompleteInput(line, line.Length, null, shell).CompletionMatches
            .Where(match => match.ResultType == CompletionResultType.ParameterValue).ToList();
    }
}
