using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>What the commands on audit records refuse when the work would begin, before anything is sent.</summary>
public sealed class AuditSourceInputTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private readonly Sandbox _sandbox = shared.Sandbox;

    [Theory]
    [InlineData("Get-SecureAppAuditLog $customer -UserId ann@contoso.example", "cannot be narrowed by anything but its content types", "Exchange or Graph")]
    [InlineData("Get-SecureAppAuditLog $customer -Source Exchange -ContentType Audit.General", "has no content types", "-RecordType")]
    [InlineData("Get-SecureAppAuditLog $customer -Source Exchange -RecordType Nonsense", "there is no record type 'Nonsense'", "ExchangeAdmin")]
    [InlineData("Get-SecureAppAuditLog $customer -Source Graph -ContentType SignIns, Provisioning", "one content type at a time", "once for each")]
    [InlineData("Get-SecureAppAuditLog $customer -ContentType SignIns", "there is no content type 'SignIns'", "Audit.General")]
    [InlineData("Get-SecureAppAuditLog $customer -StartTime ([datetime]::UtcNow.AddDays(-9))", "feed", "-Source Exchange")]
    [InlineData("Get-SecureAppAuditLog $customer -StartTime $nothing", "-StartTime is empty", "leave -StartTime out")]
    [InlineData("Get-SecureAppAuditLog $customer -EndTime $nothing", "-EndTime is empty", "leave -EndTime out")]
    [InlineData("Get-SecureAppAuditLog $customer -Month $nothing", "-Month is empty", "leave -Month out")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-01 -EndDate 2026-02-02 -ResultSize $nothing", "-ResultSize is empty", "leave -ResultSize out")]
    [InlineData("Get-SecureAppAuditLog", "No tenant was given", "-TenantId")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-02 -EndDate 2026-02-01", "is after the end", "-StartDate before -EndDate")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-01 -EndDate 2026-02-02 -UserIds $nothing", "-UserIds is empty", "-UserIds")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-01 -EndDate 2026-02-02 -RecordType Nonsense", "there is no record type", "ExchangeAdmin")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-01 -EndDate 2026-02-02 -SessionCommand Return", "no session command 'Return'", "ReturnLargeSet")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-01 -EndDate 2026-02-02 -SessionId a -ResultSize 5001", "cannot give 5001 rows", "from 1 to 5000")]
    [InlineData("Search-SecureAppUnifiedAuditLog -StartDate 2026-02-01 -EndDate 2026-02-02 -TenantId 'no tenant'", "neither a tenant id nor a domain", "GUID")]
    public void It_is_refused(string script, string expected, string advice)
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        _sandbox.ResetStats();

        Outcome outcome = engine.Run(script);

        string message = (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message;
        Assert.Contains(expected, message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(advice, message);
        Assert.Empty(outcome.Output);
        Assert.Empty(_sandbox.TokenCounts());
    }
}
