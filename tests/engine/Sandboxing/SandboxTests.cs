using System.Diagnostics;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Sandboxing;

/// <summary>What the other tests rely on: the sandbox program, its control interface, and a session that has joined it.</summary>
public sealed class SandboxTests
{
    [Fact]
    public void It_says_what_it_has()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "3", "--records", "40");

        Assert.Equal(3, sandbox.Facts.Tenants.Count);
        Assert.Equal(40, sandbox.Facts.Tenants.Sum(tenant => tenant.AuditRecordCount));
        Assert.Equal(40, sandbox.Truth()["records"]!.GetValue<long>());
        Assert.All(sandbox.Facts.Tenants, tenant =>
            Assert.Equal(tenant.AuditRecordCount, sandbox.RecordIds(tenant.TenantId).Distinct(StringComparer.Ordinal).Count()));
    }

    [Fact]
    public void It_ends_when_the_process_that_started_it_does()
    {
        Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "1");
        using Process process = Process.GetProcessById(sandbox.Facts.ProcessId);

        sandbox.Dispose();

        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void A_session_that_joins_gets_a_token_from_it()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "1");
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Get-SecureAppAccessToken -TenantId $customer -Resource 'https://graph.microsoft.com'").Succeeded();

        Assert.Equal(sandbox.Facts.Tenants[0].TenantId, outcome.Property("TenantId"));
        TokenCount asked = Assert.Single(sandbox.TokenCounts(), count => count.TenantId == sandbox.Facts.Tenants[0].TenantId);
        Assert.Equal(1, asked.Count);
    }

    [Fact]
    public void A_held_reply_is_released_on_demand()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "1");
        using Engine engine = Engine.Open().Join(sandbox);
        sandbox.AddFault(new
        {
            id = "held",
            match = new { service = "login", method = "POST", pathContains = "/token" },
            times = 1,
            action = new { kind = "hold", stage = "before-headers" },
        });

        RunningScript script = engine.Start("Get-SecureAppAccessToken -TenantId $customer -Resource 'https://graph.microsoft.com'");
        sandbox.WaitForHold("held", "held");
        Assert.False(script.Ended);
        sandbox.Release("held");

        Assert.Single(script.Wait().Succeeded().Output);
    }
}
