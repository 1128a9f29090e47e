using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>What Export-SecureAppAuditLog refuses before anything is sent, each with its own words.</summary>
public sealed class ExportInputTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private readonly Sandbox _sandbox = shared.Sandbox;

    [Theory]
    [InlineData("Export-SecureAppAuditLog $customer", "No folder was given")]
    [InlineData("Export-SecureAppAuditLog -Path $folder", "No tenant was given")]
    [InlineData("Export-SecureAppAuditLog 'no tenant' $folder", "neither a tenant id nor a domain")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Bom", "-Bom is for CSV files only")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Format Ndjson -Flatten", "-Flatten is for CSV files only")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Compression Brotli", "\"None,Gzip,Zstd\"")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -SettleDelay ([timespan]'-00:05')", "-SettleDelay is negative")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -SettleDelay 30", "A bare number is no time span")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -StartTime 2026-02-02 -EndTime 2026-02-01", "is not before the end")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Month 2026-01 -StartTime 2026-01-02", "A month has its own start and end")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Month 10", "-Month is no month of any audit log")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Month 2199-01", "has not begun")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Source Exchange -UserId $nothing", "-UserId is empty")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Source Exchange -Operation 'Send', ' '", "-Operation is empty")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -StartTime $nothing", "-StartTime is empty")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -EndDate $nothing", "-EndTime is empty")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Month $nothing", "-Month is empty")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -SettleDelay $nothing", "-SettleDelay is empty")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Resume -Source Exchange", "so -Source does not belong to it")]
    [InlineData("Export-SecureAppAuditLog $customer $folder -Resume -Force", "so -Force does not belong to it")]
    [InlineData("Export-SecureAppAuditLog 'no tenant' $folder -Resume", "neither a tenant id nor a domain")]
    [InlineData("Export-SecureAppAuditLog $customer Variable:\\x", "holds no files")]
    [InlineData("Export-SecureAppAuditLog $customer NoDrive:\\x", "is not a usable path")]
    [InlineData("Export-SecureAppAuditLog $customer $file/below", "cannot be written to")]
    [InlineData("Export-SecureAppAuditLog $customer $file", "is a file and not a folder")]
    public void It_is_refused(string script, string expected)
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, string.Empty);
        engine.Set("folder", folder);
        engine.Set("file", file);

        Outcome outcome = engine.Run(script);
        string[] left = Directory.GetFileSystemEntries(folder);
        Recorder.HearAndDelete(folder);

        Assert.Contains(expected, outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
        Assert.Empty(outcome.Output);
        Assert.Equal([file], left);
    }

    [Fact]
    public void WhatIf_says_what_would_be_done_and_makes_no_folder()
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        string folder = Path.Combine(Path.GetTempPath(), $"secureapp-{Guid.NewGuid():n}");
        engine.Set("folder", folder);

        Outcome outcome = engine.Run("Export-SecureAppAuditLog $customer $folder -WhatIf").Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Contains(_sandbox.Facts.Tenants[0].TenantId, outcome.Screen);
        Assert.False(Directory.Exists(folder));
    }
}
