using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>Watch-SecureAppAuditLog against the sandbox: what the pipeline gives, how it ends, what lies in the folder.</summary>
public sealed class WatchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "2", "--records", "300");
    private readonly Engine _engine;

    public WatchTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("folder", _folder);
    }

    [Fact]
    public void One_round_catches_up_and_the_next_brings_nothing_twice()
    {
        Outcome first = _engine.Run("Get-DelegatedTenant | Watch-SecureAppAuditLog -Path $folder -Duration 0").Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => (tenant.DisplayName, tenant.AuditRecordCount)).Order(),
            first.Output.Select(item => ((string)item.Properties["DisplayName"].Value, (long)item.Properties["Records"].Value)).Order());
        Assert.All(first.Output, item => Assert.Equal("Following", item.Properties["State"].Value));
        Assert.All(first.Output, item => Assert.True((TimeSpan)item.Properties["Lag"].Value >= TimeSpan.FromMinutes(10)));

        Outcome second = _engine.Run("Get-DelegatedTenant | Watch-SecureAppAuditLog -Path $folder -Duration 0 | Test-SecureAppAuditExport").Succeeded();
        Assert.All(second.Output, item => Assert.True((bool)item.Properties["Valid"].Value));
        Assert.Equal(_sandbox.Facts.Tenants.Sum(tenant => tenant.AuditRecordCount), second.Output.Sum(item => (long)item.Properties["Records"].Value));
    }

    [Fact]
    public void It_is_stopped_while_it_waits_for_the_next_round_and_goes_on_later()
    {
        using var told = new ManualResetEventSlim();
        _engine.Set("told", told);
        RunningScript running = _engine.Start("Watch-SecureAppAuditLog $customer $folder -PollInterval 01:00:00 | ForEach-Object { $told.Set() }");
        told.Wait(TestContext.Current.CancellationToken);
        running.Stop();

        Assert.True(running.Wait().Stopped);
        Outcome check = _engine.Run("Test-SecureAppAuditExport $folder").Succeeded();
        Assert.True((bool)check.Property("Valid")!);
        Assert.Equal("Following", _engine.Run("Watch-SecureAppAuditLog $customer $folder -Until ([datetime]::Now)").Succeeded().Property("State"));
    }

    [Fact]
    public void An_outage_is_told_and_the_watch_goes_on_when_it_is_over()
    {
        _sandbox.AddFault(new { match = new { service = "manage" }, times = -1, action = new { kind = "status", status = 503, body = "down" } });
        using var failing = new ManualResetEventSlim();
        using var following = new ManualResetEventSlim();
        _engine.Set("states", new Dictionary<string, ManualResetEventSlim> { ["Failing"] = failing, ["Following"] = following });
        RunningScript running = _engine.Start(
            "Watch-SecureAppAuditLog $customer $folder -PollInterval 00:00:01 -ErrorAction SilentlyContinue -ErrorVariable global:errors | ForEach-Object { $states[$_.State].Set() }");
        failing.Wait(TestContext.Current.CancellationToken);
        Assert.False(following.IsSet);
        _sandbox.ClearFaults();
        following.Wait(TestContext.Current.CancellationToken);
        running.Stop();

        Assert.True(running.Wait().Stopped);
        Assert.Equal("1", _engine.Run("$errors.Count").Single<int>().ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("Watch-SecureAppAuditLog $customer", "No folder was given")]
    [InlineData("Watch-SecureAppAuditLog -Path $folder", "No tenant was given")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -PollInterval 00:00:00.5", "shorter than a second")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -PollInterval 5", "A bare number is no time span")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -Duration ([timespan]::MaxValue)", "longer than time goes")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -StartTime $nothing", "-StartTime is empty")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -Duration $nothing", "-Duration is empty")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -Until $nothing", "-Until is empty")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -PollInterval $nothing", "-PollInterval is empty")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -Duration 0 -Until ([datetime]::Now)", "Use one of them")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -StartTime ([datetime]::Now.AddDays(-30))", "keeps content for 7 days")]
    [InlineData("Watch-SecureAppAuditLog $customer $folder -StartTime ([datetime]::Now.AddDays(-20))", "older records with Export-SecureAppAuditLog -Source Exchange")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        ErrorRecord error = _engine.RefusedUnsent(_sandbox, script);

        Assert.Contains(expected, $"{error.Exception.Message} {error.ErrorDetails?.RecommendedAction}");
    }

    /// <summary>It has no -Force itself.</summary>
    [Fact]
    public void A_folder_of_another_format_is_refused_and_what_to_do_is_something_that_can_be_done()
    {
        _engine.Run("Watch-SecureAppAuditLog $customer $folder -Duration 0").Succeeded();

        Outcome other = _engine.Run("Watch-SecureAppAuditLog $customer $folder -Duration 0 -Format Csv");

        ErrorRecord error = Assert.Single(other.Errors);
        Assert.Contains("holds ndjson parts", error.Exception.Message);
        Assert.Contains("Export-SecureAppAuditLog -Force", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void The_view_shows_a_line_for_each_state()
    {
        string screen = _engine.Render("Get-DelegatedTenant | Watch-SecureAppAuditLog -Path $folder -Duration 0");

        Assert.Contains("Following", screen);
        Assert.Contains("FinalUntil", screen);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
