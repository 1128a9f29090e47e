using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>Get-, Enable- and Disable-SecureAppAuditSubscription against the sandbox.</summary>
public sealed class AuditSubscriptionTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "30", "--audit", "subscribed=false");
    private readonly Engine _engine;

    public AuditSubscriptionTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    [Fact]
    public void Customers_are_subscribed_listed_and_unsubscribed_through_the_pipeline()
    {
        Outcome enabled = _engine.Run("Get-DelegatedTenant | Enable-SecureAppAuditSubscription").Succeeded();
        Assert.Equal(3 * 4, enabled.Output.Count);
        Assert.All(enabled.Output, item => Assert.Equal("Enabled True", $"{item.Properties["Status"].Value} {item.Properties["Changed"].Value}"));
        Assert.Contains(_sandbox.Facts.Tenants[0].DisplayName, enabled.Output.Select(item => item.Properties["DisplayName"].Value));

        Outcome disabled = _engine.Run("Get-DelegatedTenant | Get-SecureAppAuditSubscription -ContentType Audit.General | Disable-SecureAppAuditSubscription -Confirm:$false").Succeeded();
        Assert.Equal(3, disabled.Output.Count);
        Assert.All(disabled.Output, item => Assert.Equal("Audit.General Disabled True", $"{item.Properties["ContentType"].Value} {item.Properties["Status"].Value} {item.Properties["Changed"].Value}"));

        string screen = _engine.Render("$customer | Get-SecureAppAuditSubscription");
        Assert.Contains("None", screen);
        Assert.Contains("Enabled", screen);
    }

    [Theory]
    [InlineData("Enable-SecureAppAuditSubscription $customer -WhatIf", "Start audit subscriptions")]
    [InlineData("Disable-SecureAppAuditSubscription $customer -ContentType Audit.Exchange -WhatIf", "Stop audit subscriptions to Audit.Exchange")]
    public void WhatIf_says_what_would_be_done_and_sends_nothing(string script, string expected)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(script).Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Contains(expected, outcome.Screen);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void A_customer_that_cannot_be_asked_is_an_error_and_the_others_go_on()
    {
        string bad = _sandbox.Facts.Tenants[1].TenantId;
        _sandbox.SetTenant(bad, new { auditing = false });

        Outcome outcome = _engine.Run("'no tenant' , $sandbox.Tenants.TenantId | Get-SecureAppAuditSubscription");

        Assert.Null(outcome.FailureRecord);
        Assert.Equal(2 * 5, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors, error => error.TargetObject is string target && target == bad);
        Assert.Contains("Auditing is off", error.Exception.Message);
        Assert.Contains("UnifiedAuditLogIngestionEnabled", error.ErrorDetails.RecommendedAction);
        Assert.Equal(2, outcome.Errors.Count);
    }

    [Theory]
    [InlineData("Get-SecureAppAuditSubscription", "No tenant was given")]
    [InlineData("Enable-SecureAppAuditSubscription 'no tenant'", "neither a tenant id nor a domain")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Contains(expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }
}
