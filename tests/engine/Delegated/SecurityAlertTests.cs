using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Get-DelegatedTenantSecurityAlert against the sandbox.</summary>
public sealed class SecurityAlertTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "4", "--records", "0", "--page-size", "9");
    private readonly Engine _engine;

    public SecurityAlertTests() => _engine = Engine.Open().Join(_sandbox);

    [Fact]
    public void Every_customers_alerts_come_once_with_all_that_the_service_says()
    {
        Outcome outcome = _engine.Run("Get-DelegatedTenant | Get-DelegatedTenantSecurityAlert").Succeeded();

        IEnumerable<string> truth = _sandbox.Facts.Tenants.SelectMany(tenant => _sandbox.RecordIds(tenant.TenantId, "?report=alerts"));
        Assert.Equal(truth.Order(StringComparer.Ordinal), outcome.Output.Select(alert => Text(alert, "Id")).Order(StringComparer.Ordinal));
        Dictionary<string, string> names = _sandbox.Facts.Tenants.ToDictionary(tenant => tenant.TenantId, tenant => tenant.DisplayName);
        Assert.All(outcome.Output, alert =>
        {
            Assert.Equal(names[Text(alert, "TenantId")], Text(alert, "DisplayName"));
            Assert.IsType<DateTimeOffset>(alert.Properties["CreatedDateTime"].Value);
            Assert.DoesNotContain(alert.Properties, property => property.Name.Contains('@', StringComparison.Ordinal));
            Assert.StartsWith("https://security.microsoft.com/", Text(alert, "AlertWebUrl"));
            PSObject evidence = PSObject.AsPSObject(Assert.Single((object[])alert.Properties["Evidence"].Value));
            Assert.StartsWith("admin@", Text(PSObject.AsPSObject(evidence.Properties["userAccount"].Value), "userPrincipalName"));
        });
        string[] sources = [.. outcome.Output.Select(alert => Text(alert, "ServiceSource")).Distinct()];
        Assert.Contains("microsoftDefenderForCloud", sources);
        Assert.Contains("azureAdIdentityProtection", sources);
        Assert.DoesNotContain("unknownFutureValue", sources);
    }

    [Fact]
    public void Filters_are_the_services()
    {
        Outcome outcome = _engine.Run(
            "Get-DelegatedTenant | Get-DelegatedTenantSecurityAlert -Severity High, Low -Status New, Resolved -ServiceSource MicrosoftDefenderForCloud, azureAdIdentityProtection -Since ([datetime]::Now.AddDays(-20))").Succeeded();

        string[] expected = [.. _engine.Run(
            """
            Get-DelegatedTenant | Get-DelegatedTenantSecurityAlert | Where-Object {
                $_.Severity -in 'high', 'low' -and $_.Status -in 'new', 'resolved' -and $_.CreatedDateTime -ge [datetimeoffset]::Now.AddDays(-20) -and
                $_.ServiceSource -in 'microsoftDefenderForCloud', 'azureAdIdentityProtection' }
            """).Succeeded().Output.Select(alert => Text(alert, "Id")).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(expected);
        Assert.Equal(expected, outcome.Output.Select(alert => Text(alert, "Id")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_list_of_them_is_a_table()
    {
        string screen = _engine.Render("Get-DelegatedTenantSecurityAlert $customer");

        Assert.Contains("Severity", screen);
        Assert.Contains("ServiceSource", screen);
        Assert.DoesNotContain("Evidence", screen);
    }

    [Fact]
    public void A_customer_without_Defender_and_one_without_consent_are_errors_and_the_others_go_on()
    {
        _sandbox.SetTenant(_sandbox.Facts.Tenants[0].TenantId, new { defender = false });
        _sandbox.SetTenant(_sandbox.Facts.Tenants[1].TenantId, new { consent = "missing" });

        Outcome outcome = _engine.Run("$sandbox.Tenants.TenantId | Get-DelegatedTenantSecurityAlert");

        Assert.Equal(2, outcome.Output.Select(alert => Text(alert, "TenantId")).Distinct().Count());
        Assert.Equal(_sandbox.Facts.Tenants.Take(2).Select(tenant => tenant.TenantId).Order(), outcome.Errors.Select(error => error.TargetObject.ToString()!).Order());
        ErrorRecord error = Assert.Single(outcome.Errors, error => error.TargetObject.Equals(_sandbox.Facts.Tenants[0].TenantId));
        Assert.Contains("Microsoft Defender is not set up", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_missing_permission_is_named()
    {
        _sandbox.SetApplication(new { withheldPermissions = new[] { "SecurityAlert.Read.All" } });

        ErrorRecord error = Assert.Single(_engine.Run("Get-DelegatedTenantSecurityAlert $customer").Errors);

        Assert.Contains("SecurityAlert.Read.All", error.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData("Get-DelegatedTenantSecurityAlert", "No tenant was given")]
    [InlineData("Get-DelegatedTenantSecurityAlert $customer -Severity High, Severe", "Severe")]
    [InlineData("Get-DelegatedTenantSecurityAlert $customer -Status @()", "Status")]
    [InlineData("Get-DelegatedTenantSecurityAlert $customer -ServiceSource ''", "ServiceSource")]
    [InlineData("Get-DelegatedTenantSecurityAlert $customer -ServiceSource \"x' or 1 eq 1\"", "no name of one")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Contains(expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private static string Text(PSObject item, string property) => (string)item.Properties[property].Value;
}
