using System.Diagnostics;
using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>Test-SecureAppAuditExport on what Export-SecureAppAuditLog has written against the sandbox.</summary>
public sealed class ExportCheckTests : IDisposable
{
    private const string Export =
        "Get-DelegatedTenant | Export-SecureAppAuditLog -Path $folder -StartTime ([datetime]::UtcNow.AddDays(-6.9)) -EndTime ([datetime]::UtcNow) -SettleDelay 0";

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "3000");
    private readonly Engine _engine;

    public ExportCheckTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("folder", _folder);
    }

    [Fact]
    public void Results_of_an_export_are_checked_as_they_come()
    {
        Outcome outcome = _engine.Run(Export + " | Test-SecureAppAuditExport").Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => (tenant.TenantId, tenant.AuditRecordCount)).Order(),
            outcome.Output.Select(item => ((string)item.Properties["TenantId"].Value, (long)item.Properties["Records"].Value)).Order());
        Assert.All(outcome.Output, item => Assert.True((bool)item.Properties["Valid"].Value));
        Assert.Contains(_engine.Progress, record => record.Activity == "Checking exports");
    }

    [Fact]
    public void What_was_changed_is_a_problem_with_a_remedy_and_the_view_shows_it()
    {
        _engine.Run(Export).Succeeded();
        string part = Directory.EnumerateFiles(_folder, "part-*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        File.AppendAllText(part, "{}\n");

        PSObject bad = Assert.Single(_engine.Run("Test-SecureAppAuditExport $folder").Succeeded().Output, item => !(bool)item.Properties["Valid"].Value);
        PSObject problem = Assert.Single(((Array)bad.Properties["Problems"].Value).Cast<object>().Select(PSObject.AsPSObject));
        Assert.Equal("Altered", problem.Properties["Subject"].Value);
        Assert.EndsWith((string)problem.Properties["File"].Value, part.Replace('\\', '/'));
        Assert.Contains("backup", (string)problem.Properties["Remedy"].Value);
        Assert.Contains("Altered", _engine.Render("Test-SecureAppAuditExport $folder"));
        Assert.Contains("backup", string.Join(' ', _engine.Render("(Test-SecureAppAuditExport $folder).Problems").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData("Test-SecureAppAuditExport", "No folder was given")]
    [InlineData("Test-SecureAppAuditExport $folder", "holds no export")]
    [InlineData("Test-SecureAppAuditExport $folder/gone", "There is no folder at")]
    [InlineData("Test-SecureAppAuditExport Env:PATH", "provider, which holds no files")]
    [InlineData("'' | Test-SecureAppAuditExport", "The path is empty")]
    public void What_is_no_export_is_said_with_what_to_give_instead(string script, string expected)
    {
        Outcome outcome = _engine.Run(script);

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Contains(expected, error.Exception.Message);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.Empty(outcome.Output);
    }

    /// <summary>The part is a pipe that nobody writes to, so that the check stands in the middle of reading it.</summary>
    [Fact]
    public void A_check_is_stopped_in_the_middle_of_a_part()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no pipes with a name in a folder.");
        _engine.Run(Export).Succeeded();
        string part = Directory.EnumerateFiles(_folder, "part-*", SearchOption.AllDirectories).First();
        File.Delete(part);
        using (Process made = Process.Start("mkfifo", part))
        {
            made.WaitForExit();
        }

        RunningScript running = _engine.Start("Test-SecureAppAuditExport $folder");
        // Opens when the other side has.
        using var pipe = new FileStream(part, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        running.Stop();

        Assert.True(running.Wait().Stopped);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
