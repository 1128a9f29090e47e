using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>Export-SecureAppAuditLog against the sandbox: what the pipeline gives and what lies in the folder.</summary>
public sealed class ExportRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    [Fact]
    public void Customers_come_by_pipeline_and_every_record_is_there_once()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "4", "--records", "400");
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run(
            "Get-DelegatedTenant | Export-SecureAppAuditLog -Path $folder -StartTime ([datetime]::UtcNow.AddDays(-6)) -EndTime ([datetime]::UtcNow) -SettleDelay 0").Succeeded();

        Assert.Equal(4, outcome.Output.Count);
        Assert.All(outcome.Output, item => Assert.True((bool)item.Properties["Complete"].Value));
        Assert.Equal(
            sandbox.Facts.Tenants.Select(tenant => (tenant.DisplayName, tenant.AuditRecordCount)).Order(),
            outcome.Output.Select(item => ((string)item.Properties["DisplayName"].Value, (long)item.Properties["Records"].Value)).Order());
        long lines = Directory.EnumerateFiles(_folder, "*.ndjson", SearchOption.AllDirectories).Sum(file => File.ReadLines(file).LongCount());
        Assert.Equal(sandbox.Facts.Tenants.Sum(tenant => tenant.AuditRecordCount), lines);
    }

    [Fact]
    public void Times_without_a_zone_are_local_and_offsets_are_kept()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "10");
        using Engine engine = Open(sandbox);
        DateTimeOffset start = DateTimeOffset.UtcNow.AddHours(-5);
        engine.Set("local", DateTime.SpecifyKind(start.LocalDateTime, DateTimeKind.Unspecified));
        engine.Set("offset", start.ToOffset(TimeSpan.FromHours(9)).AddHours(1));

        Outcome outcome = engine.Run("Export-SecureAppAuditLog $customer $folder -StartDate $local -EndDate $offset").Succeeded();

        Assert.Equal(0, (start - (DateTimeOffset)outcome.Property("StartTime")!).TotalMilliseconds, tolerance: 1.0);
        Assert.Equal(0, (start.AddHours(1) - (DateTimeOffset)outcome.Property("EndTime")!).TotalMilliseconds, tolerance: 1.0);
    }

    [Theory]
    [InlineData("", 10)]
    [InlineData("-SettleDelay $delay", 25)]
    public void Without_an_end_it_is_as_late_as_the_result_can_be_final(string delay, int minutes)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "100");
        using Engine engine = Open(sandbox);
        DateTimeOffset before = DateTimeOffset.UtcNow;
        engine.Set("delay", TimeSpan.FromMinutes(minutes));

        Outcome outcome = engine.Run($"Export-SecureAppAuditLog $customer $folder -StartTime ([datetime]::UtcNow.AddDays(-6)) {delay}").Succeeded();

        Assert.True((bool)outcome.Property("Complete")!);
        Assert.Equal(outcome.Property("EndTime"), outcome.Property("FinalUntil"));
        Assert.InRange((DateTimeOffset)outcome.Property("EndTime")!, before.AddMinutes(-minutes).AddMilliseconds(-1), DateTimeOffset.UtcNow.AddMinutes(-minutes));
    }

    [Fact]
    public void An_end_that_may_still_get_content_is_not_complete_and_says_when_it_is()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "100");
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run("Export-SecureAppAuditLog $customer $folder -EndTime ([datetime]::UtcNow)").Succeeded();

        Assert.False((bool)outcome.Property("Complete")!);
        Assert.Contains("run the same export again after", (string)outcome.Property("Reason")!);
        Assert.True((DateTimeOffset)outcome.Property("FinalUntil")! < (DateTimeOffset)outcome.Property("EndTime")!);
    }

    [Fact]
    public void One_bad_customer_is_an_error_of_its_own_and_FailOnGap_ends_with_one()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "20");
        sandbox.SetTenant(sandbox.Facts.Tenants[1].TenantId, new { consent = "missing" });
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run(
            "try { $sandbox.Tenants | Export-SecureAppAuditLog -Path $folder -FailOnGap -ErrorVariable errors -ErrorAction SilentlyContinue } catch { $_ }; $errors");

        ErrorRecord last = Assert.Single(
            outcome.Output.Select(item => item.BaseObject).OfType<ErrorRecord>(),
            error => error.FullyQualifiedErrorId.StartsWith("SecureAppModel.IncompleteExport", StringComparison.Ordinal));
        Assert.Equal([sandbox.Facts.Tenants[1].TenantId], (string[])last.TargetObject);
        Assert.Contains(outcome.Output, item => item.Properties["Complete"]?.Value is true);
    }

    /// <summary>Another run would not write it again, so that is not what is recommended.</summary>
    [Fact]
    public void Where_a_folder_has_lost_a_part_FailOnGap_says_how_it_is_made_good()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = Open(sandbox);
        const string Export = "Export-SecureAppAuditLog $customer $folder -StartTime ([datetime]::UtcNow.AddDays(-6)) -FailOnGap";
        engine.Run(Export).Succeeded();
        File.Delete(Directory.GetFiles(_folder, "part-*", SearchOption.AllDirectories)[0]);

        ErrorRecord error = Assert.Single(engine.Run(Export).Errors);

        Assert.StartsWith("SecureAppModel.IncompleteExport", error.FullyQualifiedErrorId);
        Assert.Contains("does not write again what a folder has lost", error.ErrorDetails.RecommendedAction);
        Assert.Contains("-Force", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void Compressed_files_stay_alone_in_their_folder()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "200");
        using Engine engine = Open(sandbox);

        Outcome first = engine.Run("Export-SecureAppAuditLog $customer $folder -Compression gzip -Format csv -Flatten").Succeeded();
        Outcome other = engine.Run("Export-SecureAppAuditLog $customer $folder -Compression Zstd -Format Csv -Flatten");
        Outcome forced = engine.Run("Export-SecureAppAuditLog $customer $folder -Compression Zstd -Force").Succeeded();

        Assert.True((long)first.Property("Records")! > 0);
        Assert.Contains("holds flattened csv.gz parts, and this export would add flattened csv.zst parts", Assert.Single(other.Errors).Exception.Message);
        Assert.Equal(first.Property("Records"), forced.Property("Records"));
        string[] parts = Directory.GetFiles(_folder, "part-*", SearchOption.AllDirectories);
        Assert.All(parts, part => Assert.EndsWith(".ndjson.zst", part));
        long bytes = parts.Sum(part => new FileInfo(part).Length);
        Assert.Equal(bytes, forced.Property("Bytes"));
    }

    [Fact]
    public void A_path_is_taken_literally_and_relative_to_the_location()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "10");
        using Engine engine = Open(sandbox);

        Outcome outcome = engine.Run("$null = $ExecutionContext.SessionState.Path.SetLocation($folder); Export-SecureAppAuditLog $customer './a[1]/b'").Succeeded();

        Assert.StartsWith(Path.Combine(_folder, "a[1]", "b"), (string)outcome.Property("Path")!);
        Assert.True(Directory.Exists(Path.Combine(_folder, "a[1]", "b")));
    }

    /// <summary>PowerShell compares such words without regard to case, and so does -Bom.</summary>
    [Fact]
    public void A_format_in_any_case_may_have_a_byte_order_mark()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "10");
        using Engine engine = Open(sandbox);

        engine.Run("Export-SecureAppAuditLog $customer $folder -StartTime ([datetime]::UtcNow.AddDays(-6)) -Format csv -Bom").Succeeded();

        string[] files = Directory.GetFiles(_folder, "*.csv", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Equal([0xEF, 0xBB, 0xBF], File.ReadAllBytes(file)[..3]));
    }

    [Fact]
    public void The_view_shows_a_line_for_each_tenant()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "10");
        using Engine engine = Open(sandbox);

        string screen = engine.Render("Get-DelegatedTenant | Export-SecureAppAuditLog -Path $folder");

        Assert.Contains("Records", screen);
        Assert.Contains("True", screen);
    }

    [Fact]
    public void The_view_shows_why_a_tenant_failed_in_a_few_words()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "10");
        sandbox.SetTenant(sandbox.Facts.Tenants[0].TenantId, new { consent = "missing" });
        using Engine engine = Open(sandbox);

        string screen = engine.Render("$customer | Export-SecureAppAuditLog -Path $folder -ErrorAction SilentlyContinue");

        Assert.Contains("AADSTS65001: nobody", screen);
        Assert.Contains(sandbox.Facts.Tenants[0].TenantId, screen);
        string text = string.Concat(screen.Where(character => !char.IsWhiteSpace(character)));
        Assert.DoesNotContain("traceid", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("correlationid", text, StringComparison.OrdinalIgnoreCase);
    }

    public void Dispose() => Recorder.HearAndDelete(_folder);

    private Engine Open(Sandbox sandbox)
    {
        Engine engine = Engine.Open().Join(sandbox);
        engine.Set("folder", _folder);
        return engine;
    }
}
