using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Get-DelegatedTenantSecureScore against the sandbox.</summary>
public sealed class SecureScoreTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "4", "--records", "0", "--page-size", "3");
    private readonly Engine _engine;

    public SecureScoreTests() => _engine = Engine.Open().Join(_sandbox);

    [Fact]
    public void Each_customer_has_one_object_with_its_name_its_score_and_the_averages_of_others()
    {
        Outcome outcome = _engine.Run("Get-DelegatedTenant | Get-DelegatedTenantSecureScore").Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => $"{tenant.TenantId} {tenant.DisplayName}").Order(),
            outcome.Output.Select(score => $"{score.Properties["TenantId"].Value} {score.Properties["DisplayName"].Value}").Order());
        Assert.All(outcome.Output, score =>
        {
            double current = Number(score, "CurrentScore"), most = Number(score, "MaxScore");
            Assert.InRange(current, 0, most);
            Assert.Equal(current / most * 100, Number(score, "Percentage"), 0.01);
            Assert.Equal(45.31, Number(score, "AverageAllTenants"));
            Assert.InRange(Number(score, "AverageTotalSeats"), 30, 60);
            Assert.InRange(Number(score, "AverageIndustry"), 30, 60);
            Assert.True((long)score.Properties["LicensedUserCount"].Value >= 5);
            Assert.Contains("HasExchange", (string[])score.Properties["EnabledServices"].Value);
            Assert.Empty((Array)score.Properties["ControlScores"].Value);
            Assert.Empty((Array)score.Properties["History"].Value);
        });
    }

    [Fact]
    public void Controls_and_days_come_where_they_are_asked_for()
    {
        PSObject score = Assert.Single(_engine.Run("Get-DelegatedTenantSecureScore $customer -IncludeControl -Days 8").Succeeded().Output);

        PSObject[] controls = [.. ((Array)score.Properties["ControlScores"].Value).Cast<object>().Select(PSObject.AsPSObject)];
        Assert.Equal(Number(score, "CurrentScore"), controls.Sum(control => Number(control, "Score")), 0.01);
        Assert.All(controls, control =>
        {
            Assert.InRange(Number(control, "Score"), 0, Number(control, "MaxScore"));
            Assert.NotEmpty((string)control.Properties["Title"].Value);
            Assert.StartsWith("https://", (string)control.Properties["ActionUrl"].Value);
        });
        DateTimeOffset[] days = [.. ((Array)score.Properties["History"].Value).Cast<object>()
            .Select(day => (DateTimeOffset)PSObject.AsPSObject(day).Properties["CreatedDateTime"].Value)];
        Assert.Equal(8, days.Length);
        Assert.Equal(days.OrderDescending(), days);
        Assert.Equal(score.Properties["CreatedDateTime"].Value, days[0]);
    }

    [Fact]
    public void A_list_of_them_is_a_table()
    {
        string screen = _engine.Render("Get-DelegatedTenant | Get-DelegatedTenantSecureScore");

        Assert.Contains(_sandbox.Facts.Tenants[0].DisplayName, screen);
        Assert.Contains("Percent", screen);
        Assert.Contains("45.31", screen);
    }

    [Fact]
    public void A_customer_without_a_score_is_an_error_with_a_remedy_and_the_others_go_on()
    {
        string bad = _sandbox.Facts.Tenants[1].TenantId;
        _sandbox.SetTenant(bad, new { defender = false });

        Outcome outcome = _engine.Run("'no tenant' , $sandbox.Tenants.TenantId | Get-DelegatedTenantSecureScore");

        Assert.Null(outcome.FailureRecord);
        Assert.Equal(3, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors, error => error.TargetObject is string target && target == bad);
        Assert.Contains("no secure score", error.Exception.Message);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.Equal(2, outcome.Errors.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-AppOnly")]
    public void A_missing_permission_is_named(string how)
    {
        _sandbox.SetApplication(new { withheldPermissions = new[] { "SecurityEvents.Read.All" } });

        ErrorRecord error = Assert.Single(_engine.Run($"Get-DelegatedTenantSecureScore $customer {how}").Errors);

        Assert.StartsWith("SecureAppModel.Denied", error.FullyQualifiedErrorId);
        Assert.Contains("SecurityEvents.Read.All", error.ErrorDetails.RecommendedAction);
        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, error.TargetObject);
    }

    [Theory]
    [InlineData("Get-DelegatedTenantSecureScore", "No tenant was given")]
    [InlineData("Get-DelegatedTenantSecureScore 'no tenant'", "neither a tenant id nor a domain")]
    [InlineData("Get-DelegatedTenantSecureScore $customer -Days 91", "91")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Contains(expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private static double Number(PSObject item, string property) => (double)item.Properties[property].Value;
}
