using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>Export-SecureAppAuditLog from Exchange and Graph, narrowed, by month, and taken up again from what a folder says.</summary>
public sealed class ExportSourceTests : IDisposable
{
    private static readonly DateTimeOffset s_month = new(DateTimeOffset.UtcNow.Year, DateTimeOffset.UtcNow.Month, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    [Fact]
    public void A_month_has_every_record_whose_event_fell_into_it()
    {
        DateTimeOffset start = s_month.AddMonths(-1);
        using Sandbox sandbox = Around(start, days: 4);
        using Engine engine = Open(sandbox);
        engine.Set("month", start.ToString("yyyy-MM"));

        Outcome outcome = engine.Run("Export-SecureAppAuditLog $customer $folder -Month $month").Succeeded();

        Assert.Equal("Exchange", outcome.Property("Source"));
        Assert.Equal((start, start.AddMonths(1)), (outcome.Property("StartTime"), outcome.Property("EndTime")));
        Assert.True((bool)outcome.Property("Complete")!, (string?)outcome.Property("Reason"));
        Assert.Equal(sandbox.EventIds(start, start.AddMonths(1)), Ids());
        Assert.NotEqual(sandbox.RecordIds(sandbox.Facts.Tenants[0].TenantId), Ids());
    }

    [Theory]
    [InlineData("-Source Exchange -Operations MailItemsAccessed", "Operation", "MailItemsAccessed")]
    [InlineData("-Source Exchange -RecordType 50 -Operation MailItemsAccessed", "Operation", "MailItemsAccessed")]
    [InlineData("-Source Graph -Operation MailItemsAccessed", "operation", "MailItemsAccessed")]
    public void A_search_is_narrowed_by_the_service(string parameters, string field, string expected)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "600", "--audit", "late=0");
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run($"Export-SecureAppAuditLog $customer $folder -StartTime ([datetime]::UtcNow.AddDays(-8)) {parameters} -SettleDelay 0").Succeeded();

        long count = (long)outcome.Property("Records")!;
        Assert.InRange(count, 1, 599);
        Assert.Equal(count, Records().Count());
        Assert.All(Records(), record => Assert.Equal(expected, (string?)record[field]));
    }

    [Fact]
    public void Graphs_own_lists_are_exported_too()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "200", "--audit", "late=0");
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run("Export-SecureAppAuditLog $customer $folder -Source Graph -ContentType SignIns -StartTime ([datetime]::UtcNow.AddDays(-6)) -SettleDelay 0").Succeeded();

        Assert.Equal(("Graph", "SignIns"), (outcome.Property("Source"), ((string[])outcome.Property("ContentType")!)[0]));
        Assert.NotEmpty(Records());
        Assert.All(Records(), record => Assert.NotNull(record["appDisplayName"]));
    }

    [Fact]
    public void PassThru_gives_each_new_record_instead_of_a_result()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "300");
        using Engine engine = Open(sandbox);
        engine.Set("start", DateTimeOffset.UtcNow.AddDays(-6.5));
        engine.Set("end", DateTimeOffset.UtcNow);
        const string Export = "$sandbox.Tenants | Export-SecureAppAuditLog -Path $folder -StartTime $start -EndTime $end -SettleDelay 0 -MaxMemory 1MB -PassThru";

        Outcome first = engine.Run(Export).Succeeded();
        Outcome again = engine.Run(Export).Succeeded();

        Assert.Equal(Ids(), first.Output.Select(record => (string)record.Properties["Id"].Value).Order(StringComparer.Ordinal));
        Assert.All(first.Output, record => Assert.Equal("SecureAppModel.AuditRecord#AuditLog", record.TypeNames[0]));
        Assert.Empty(again.Output);
        Assert.Empty(first.Warnings);
    }

    [Fact]
    public void PassThru_says_what_is_not_complete()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "100");
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run("Export-SecureAppAuditLog $customer $folder -EndTime ([datetime]::UtcNow) -PassThru -DisplayName Fabrikam").Succeeded();

        Assert.All(outcome.Output, record => Assert.NotNull(record.Properties["CreationTime"]));
        string warning = Assert.Single(outcome.Warnings, warning => warning.Contains("Fabrikam is not complete", StringComparison.Ordinal));
        Assert.Contains("run the same export again after", warning);
    }

    [Fact]
    public void Resume_takes_up_what_the_folder_lacks()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "3", "--records", "600", "--audit", "recordsPerBlob=20");
        using Engine engine = Open(sandbox);
        engine.Set("start", DateTimeOffset.UtcNow.AddDays(-6.5));
        engine.Set("end", DateTimeOffset.UtcNow.AddHours(-1));
        const string Export = "Export-SecureAppAuditLog $sandbox.Tenants $folder -StartTime $start -EndTime $end";
        string broken = sandbox.Facts.Tenants[1].TenantId;
        sandbox.AddFault(new
        {
            match = new { service = "manage", tenantId = broken, pathContains = "/audit/" },
            skip = 3,
            times = 1,
            action = new { kind = "status", status = 400, contentType = "application/json", body = """{"error":{"code":"AF20051","message":"Content requested has already expired."}}""" },
        });
        Outcome first = engine.Run(Export).Succeeded();
        Assert.Single(first.Output, result => result.Properties["Complete"].Value is false);

        Outcome asked = engine.Run("Export-SecureAppAuditLog -Path $folder -Resume -WhatIf").Succeeded();
        Assert.Empty(asked.Output);
        Assert.Contains(broken, asked.Screen);
        Assert.DoesNotContain(sandbox.Facts.Tenants[0].TenantId, asked.Screen);

        Outcome outcome = engine.Run("Export-SecureAppAuditLog -Path $folder -Resume -FailOnGap").Succeeded();

        Assert.Equal(broken, outcome.Property("TenantId"));
        Assert.True((bool)outcome.Property("Complete")! && (bool)outcome.Property("FolderComplete")!);
        Assert.Equal(sandbox.Facts.Tenants.Sum(tenant => tenant.AuditRecordCount), Records().LongCount());
        Assert.Empty(engine.Run("Export-SecureAppAuditLog -Path $folder -Resume").Succeeded().Output);
        Assert.Empty(engine.Run("@() | Export-SecureAppAuditLog -Path $folder -Resume").Succeeded().Output);
    }

    [Fact]
    public void Resume_of_a_tenant_that_has_no_folder_warns_and_gives_nothing()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "10");
        using Engine engine = Open(sandbox);

        Outcome one = engine.Run("Export-SecureAppAuditLog $customer $folder -Resume").Succeeded();
        Assert.Empty(one.Output);
        Assert.Contains("nothing to go on with", Assert.Single(one.Warnings));
        Outcome all = engine.Run("Export-SecureAppAuditLog -Path $folder -Resume");

        Assert.Contains("No export has written to", Assert.Single(all.Errors).Exception.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A sandbox whose events lie around a moment.</summary>
    private static Sandbox Around(DateTimeOffset moment, int days) => Sandbox.Start(
        "--tenants", "1",
        "--records", "800",
        "--audit", "late=0",
        "--audit", $"startTime={moment.AddDays(-days):yyyy-MM-ddTHH:mm:ss}Z",
        "--audit", $"endTime={moment.AddDays(days):yyyy-MM-ddTHH:mm:ss}Z");

    private Engine Open(Sandbox sandbox)
    {
        Engine engine = Engine.Open().Join(sandbox);
        engine.Set("folder", _folder);
        return engine;
    }

    private IEnumerable<JsonNode> Records() => Directory
        .EnumerateFiles(_folder, "*.ndjson", SearchOption.AllDirectories)
        .SelectMany(File.ReadLines)
        .Select(line => JsonNode.Parse(line)!);

    private IEnumerable<string> Ids() => Records().Select(record => (string)record["Id"]!).Order(StringComparer.Ordinal);
}
