using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>Get-SecureAppAuditLog and Search-SecureAppUnifiedAuditLog: what their objects are, and how they stream.</summary>
public sealed class AuditObjectTests
{
    [Fact]
    public void Each_record_comes_once_with_its_fields()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "300");
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Get-DelegatedTenant | Get-SecureAppAuditLog -StartTime ([datetime]::UtcNow.AddDays(-6.9))").Succeeded();

        foreach (SandboxTenant tenant in sandbox.Facts.Tenants)
        {
            PSObject[] records = [.. outcome.Output.Where(record => (string)record.Properties["TenantId"].Value == tenant.TenantId)];
            Assert.Equal(sandbox.RecordIds(tenant.TenantId), records.Select(record => (string)record.Properties["Id"].Value).Order(StringComparer.Ordinal));
        }

        Assert.All(outcome.Output, record =>
        {
            Assert.IsType<DateTimeOffset>(record.Properties["CreationTime"].Value);
            Assert.IsType<long>(record.Properties["RecordType"].Value);
        });
        Assert.Contains(outcome.Output, record => record.Properties["Parameters"]?.Value is object[] and [PSObject { Properties: var first }, ..] && first["Name"] is not null);
    }

    [Theory]
    [InlineData("-Source Exchange", "CreationTime")]
    [InlineData("-Source Graph", "createdDateTime")]
    [InlineData("-Source Graph -ContentType DirectoryAudits", "activityDateTime")]
    public void The_searches_give_objects_too(string source, string time)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "200", "--audit", "late=0");
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run($"Get-SecureAppAuditLog $customer {source} -StartTime ([datetime]::UtcNow.AddDays(-8))").Succeeded();

        Assert.NotEmpty(outcome.Output);
        Assert.All(outcome.Output, record => Assert.NotNull(record.Properties[time].Value));
    }

    [Fact]
    public void The_first_records_are_given_while_the_rest_has_not_come()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "2000", "--audit", "recordsPerBlob=20");
        using Engine engine = Engine.Open().Join(sandbox);
        sandbox.AddFault(new { id = "rest", match = new { service = "manage", pathContains = "/audit/" }, skip = 12, times = -1, action = new { kind = "hold", stage = "before-headers" } });
        engine.Set("held", () => { sandbox.WaitForHold("rest", "held"); });

        Outcome outcome = engine.Run(
            """
            function Stop-AtFirst { process { $held.Invoke(); $_; throw 'enough' } }
            try { Get-SecureAppAuditLog $customer -StartTime ([datetime]::UtcNow.AddDays(-6)) | Stop-AtFirst } catch { 'stopped' }
            """).Succeeded();

        Assert.Equal("stopped", outcome.Output[^1].BaseObject);
        Assert.Equal(2, outcome.Output.Count);
        sandbox.WaitForHold("rest", "closed");
    }

    [Fact]
    public void What_does_not_come_is_an_error_after_the_rest()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "400", "--audit", "recordsPerBlob=20");
        string bad = sandbox.Facts.Tenants[1].TenantId;
        sandbox.SetTenant(sandbox.Facts.Tenants[0].TenantId, new { consent = "missing" });
        sandbox.AddFault(new
        {
            match = new { service = "manage", tenantId = bad, pathContains = "/audit/" },
            times = 1,
            action = new { kind = "status", status = 400, contentType = "application/json", body = """{"error":{"code":"AF20051","message":"Content requested has already expired."}}""" },
        });
        using Engine engine = Engine.Open().Join(sandbox);

        Outcome outcome = engine.Run("Get-SecureAppAuditLog $sandbox.Tenants -StartTime ([datetime]::UtcNow.AddDays(-6.5))");

        Assert.Null(outcome.Failure);
        Assert.Equal(
            sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).Order(),
            outcome.Errors.Select(error => (string)error.TargetObject).Order());
        ErrorRecord incomplete = Assert.Single(outcome.Errors, error => error.FullyQualifiedErrorId.StartsWith("SecureAppModel.IncompleteRead", StringComparison.Ordinal));
        Assert.Equal(bad, incomplete.TargetObject);
        Assert.Contains("AF20051", incomplete.Exception.Message);
        Assert.NotEmpty(outcome.Output);
        Assert.All(outcome.Output, record => Assert.Equal(bad, record.Properties["TenantId"].Value));
    }

    [Fact]
    public void The_view_shows_a_line_for_each_record()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = Engine.Open().Join(sandbox);

        string screen = engine.Render("Get-SecureAppAuditLog $customer -StartTime ([datetime]::UtcNow.AddDays(-6.9))");

        Assert.Contains("Operation", screen);
        Assert.Contains("UserLoggedIn", screen);
    }

    [Fact]
    public void A_search_has_the_columns_of_the_original_and_no_limit()
    {
        DateTime start = DateTime.UtcNow.AddDays(-8);
        DateTime end = start.AddDays(7);
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "800", "--audit", "late=0");
        sandbox.Send(HttpMethod.Post, "sandbox/exchange", new { sessionLimit = 300 });
        using Engine engine = Engine.Open().Join(sandbox);
        engine.Set("start", start);
        engine.Set("end", end);

        Outcome outcome = engine.Run("Search-SecureAppUnifiedAuditLog -StartDate $start -EndDate $end -TenantId $customer").Succeeded();

        Assert.Equal(
            ["RecordType", "CreationDate", "UserIds", "Operations", "AuditData", "ResultIndex", "ResultCount", "Identity", "IsValid", "ObjectState"],
            outcome.Output[0].Properties.Select(column => column.Name));
        Assert.All(outcome.Output, row =>
        {
            var date = Assert.IsType<DateTime>(row.Properties["CreationDate"].Value);
            Assert.Equal(DateTimeKind.Utc, date.Kind);
            JsonNode data = JsonNode.Parse((string)row.Properties["AuditData"].Value)!;
            Assert.Equal((string)row.Properties["Identity"].Value, (string?)data["Id"]);
        });
        Assert.Equal(
            sandbox.EventIds(Floor(start), Floor(end).AddSeconds(1)),
            outcome.Output.Select(row => (string)row.Properties["Identity"].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Times_of_a_search_are_UTC_where_they_have_no_zone()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "800", "--audit", "late=0");
        using Engine engine = Engine.Open().Join(sandbox);
        DateTime start = Floor(DateTime.UtcNow.AddDays(-4)).UtcDateTime;
        engine.Set("utc", start);
        engine.Set("local", start.ToLocalTime());
        engine.Set("text", start.ToString("yyyy-MM-dd HH:mm:ss"));
        engine.Set("end", start.AddDays(1));

        string[][] found = [.. new[] { "$utc", "$local", "$text" }.Select(from => engine
            .Run($"Search-SecureAppUnifiedAuditLog -StartDate {from} -EndDate $end -TenantId $customer").Succeeded()
            .Output.Select(row => (string)row.Properties["Identity"].Value).Order(StringComparer.Ordinal).ToArray())];

        Assert.Equal(sandbox.EventIds(start, start.AddDays(1)), found[0]);
        Assert.Equal(found[0], found[1]);
        Assert.Equal(found[0], found[2]);
    }

    private static DateTimeOffset Floor(DateTime time) => new(time.AddTicks(-(time.Ticks % TimeSpan.TicksPerSecond)), TimeSpan.Zero);
}
