using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>
/// The rows of Test-SecureAppCredential about what lies beyond a token: when the proof ends, how the user signed in, who has
/// consented, and what the audit log takes.
/// </summary>
public sealed class CredentialRowTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "0");
    private readonly Engine _engine;

    public CredentialRowTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("partner", _sandbox.Facts.PartnerTenantId);
        _engine.Set("customers", _sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).ToArray());
        _engine.Run("$application = New-SecureAppCredential $sandbox.ApplicationId -Secret $sandbox.Secret -TenantId $partner").Succeeded();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData(100, "Pass")]
    [InlineData(10, "Warn")]
    public void The_end_of_a_secret_is_read_from_its_registration(int days, string result)
    {
        _sandbox.SetApplication(new { secretDays = days + 0.5 });

        Row row = One("Test-SecureAppCredential", "Secret");

        Assert.Equal(result, row.Result);
        Assert.Contains($"in {days} days", row.Detail, StringComparison.Ordinal);
        Assert.Equal(result == "Warn", row.Remedy.Length > 0);
    }

    [Fact]
    public void Without_the_permission_the_end_of_a_secret_is_not_known()
    {
        Row row = One("Test-SecureAppCredential $application", "Secret");

        Assert.Equal("Skipped", row.Result);
        Assert.Equal("Authorization_RequestDenied", row.Code);
        Assert.Contains("Application.Read.All", row.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(90, "Pass")]
    [InlineData(9, "Warn")]
    public void The_end_of_a_certificate_is_known_without_its_registration(int days, string result)
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-rows-").FullName;
        try
        {
            _engine.Set("folder", folder);
            _engine.Run($"$made = New-SecureAppCertificate CN=Made -Days {days} -PemPath $folder/app.pem -WarningAction SilentlyContinue").Succeeded();
            string pem = File.ReadAllText(Path.Combine(folder, "app.pem"));
            _sandbox.Send(HttpMethod.Post, "sandbox/certificates", new { certificate = pem[pem.IndexOf("-----BEGIN CERTIFICATE", StringComparison.Ordinal)..] });

            Row[] rows = Rows("Test-SecureAppCredential (New-SecureAppCredential $sandbox.ApplicationId -CertificatePath $folder/app.pem -TenantId $partner -WarningAction SilentlyContinue)");

            Assert.Equal(result, Assert.Single(rows, row => row.Check == "Certificate").Result);
            Assert.DoesNotContain(rows, row => row.Check is "Secret" or "RefreshToken" or "Mfa" or "PartnerCenterMfa");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_sign_in_with_a_second_factor_passes_both_rows()
    {
        Row[] rows = Rows("Test-SecureAppCredential");

        Assert.Equal("Pass", Assert.Single(rows, row => row.Check == "Mfa").Result);
        Assert.Equal("Pass", Assert.Single(rows, row => row.Check == "PartnerCenterMfa").Result);
    }

    [Fact]
    public void A_sign_in_without_one_is_marked_and_refused_by_Partner_Center()
    {
        string reply = _sandbox.Send(HttpMethod.Post, "sandbox/users", new { userPrincipalName = "plain@contoso.example", mfa = false });
        _engine.Set("token", System.Text.Json.Nodes.JsonNode.Parse(reply)!["refreshToken"]!.GetValue<string>());

        Row[] rows = Rows("Test-SecureAppCredential @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $token; tenantId = $partner }");

        Row mark = Assert.Single(rows, row => row.Check == "Mfa");
        Assert.Equal("Warn", mark.Result);
        Assert.Contains("New-SecureAppRefreshToken", mark.Remedy, StringComparison.Ordinal);
        Row refused = Assert.Single(rows, row => row.Check == "PartnerCenterMfa");
        Assert.Equal(("Fail", "900421"), (refused.Result, refused.Code));
        Assert.NotEmpty(refused.Remedy);
    }

    [Fact]
    public void Customers_come_from_the_pipeline_and_each_says_whether_it_has_consented()
    {
        string[] customers = [.. _sandbox.Facts.Tenants.Select(tenant => tenant.TenantId)];
        _sandbox.SetTenant(customers[1], new { consent = "missing" });
        _sandbox.SetTenant(customers[2], new { servicePrincipal = false });

        Outcome outcome = _engine.Run("$customers[0], 'not one', $customers[1], $customers[2] | Test-SecureAppCredential -Resource https://graph.microsoft.com");

        Assert.Contains("neither a tenant id nor a domain", Assert.Single(outcome.Errors).Exception.Message, StringComparison.Ordinal);
        Row[] rows = [.. outcome.Output.Select(Row.Of)];
        Assert.Equal(
            [(customers[0], "Pass", ""), (customers[1], "Fail", "AADSTS65001"), (customers[2], "Fail", "AADSTS700016")],
            rows.Where(row => row.Check == "Consent").Select(row => (row.TenantId, row.Result, row.Code)));
        Assert.All(rows.Where(row => row.Result == "Fail"), row => Assert.NotEmpty(row.Remedy));
        Assert.Single(rows, row => row.Check == "Credential");
    }

    [Fact]
    public void The_feed_names_the_permission_that_it_wants()
    {
        Assert.Equal("Pass", One("Test-SecureAppCredential $application", "ActivityFeed").Result);
        _sandbox.SetApplication(new { withheldPermissions = new[] { "ActivityFeed.Read" } });

        Row row = One("Test-SecureAppCredential $application", "ActivityFeed");

        Assert.Equal(("Fail", "AF10001"), (row.Result, row.Code));
        Assert.Contains("ActivityFeed.Read", row.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, true, "Pass", "", "takes the permission and the role", "")]
    [InlineData(true, false, "Fail", "Forbidden", "a directory role is missing", "Exchange Administrator")]
    [InlineData(false, true, "Fail", "Forbidden", "Exchange.ManageAsApp is missing", "Exchange.ManageAsApp")]
    [InlineData(false, false, "Fail", "HTTP 401", "both are missing", "Exchange.ManageAsApp")]
    public void A_permission_and_a_role_of_Exchange_are_told_apart(bool permission, bool role, string result, string code, string detail, string remedy)
    {
        _sandbox.SetApplication(new { withheldPermissions = permission ? Array.Empty<string>() : ["Exchange.ManageAsApp"] });
        _sandbox.SetTenant(_sandbox.Facts.Tenants[0].TenantId, new { exchangeRole = role });

        Row row = One("Test-SecureAppCredential -AppOnly -TenantId $customers[0] -Resource https://outlook.office365.com", "ExchangeRole");

        Assert.Equal((result, code), (row.Result, row.Code));
        Assert.Contains(detail, row.Detail, StringComparison.Ordinal);
        Assert.Contains(remedy, row.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_role_without_the_audit_log_is_its_own_row()
    {
        Assert.Equal("Pass", One("Test-SecureAppCredential $application", "AuditSearch").Result);
        _sandbox.SetTenant(_sandbox.Facts.PartnerTenantId, new { auditRole = false });

        Row[] rows = Rows("Test-SecureAppCredential $application");

        Assert.Equal("Pass", Assert.Single(rows, row => row.Check == "ExchangeRole").Result);
        Row audit = Assert.Single(rows, row => row.Check == "AuditSearch");
        Assert.Equal("Fail", audit.Result);
        Assert.Contains("View-Only Audit Logs", audit.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void An_organization_is_the_tenants_another_ones_or_nobodys()
    {
        SandboxTenant[] tenants = [.. _sandbox.Facts.Tenants];
        foreach ((string name, string result, string code) in new[]
        {
            (tenants[0].DefaultDomainName, "Pass", ""),
            (tenants[0].DefaultDomainName.Replace(".onmicrosoft.com", ".example", StringComparison.Ordinal), "Warn", ""),
            (tenants[1].DefaultDomainName, "Fail", "HTTP 401"),
            ("conotso.onmicrosoft.com", "Fail", "AADSTS90002"),
        })
        {
            Row row = One($"Test-SecureAppCredential $application -TenantId $customers[0] -Organization {name}", "Organization");
            Assert.Equal((name, result, code), (row.Target, row.Result, row.Code));
            Assert.Equal(result != "Pass", row.Remedy.Length > 0);
        }
    }

    [Theory]
    [InlineData("-Organization 'not one'", "neither a tenant id nor a domain")]
    [InlineData("-Organization contoso.onmicrosoft.com -TenantId $customers", "one organization")]
    [InlineData("-TenantId $customers[0], 'not one'", "neither a tenant id nor a domain")]
    [InlineData("-TenantId @()", "No tenant was given")]
    public void Bad_input_is_refused_before_anything_is_sent(string parameters, string message)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run("Test-SecureAppCredential $application " + parameters);

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Contains(message, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(outcome.Output);
        Assert.Empty(_sandbox.TokenCounts());
    }

    private Row One(string script, string check) => Assert.Single(Rows(script), row => row.Check == check);

    private Row[] Rows(string script) => [.. _engine.Run(script).Succeeded().Output.Select(Row.Of)];

    private sealed record Row(string Check, string Target, string TenantId, string Result, string Detail, string Code, string Remedy)
    {
        public static Row Of(PSObject row)
        {
            string Text(string name) => (string)row.Properties[name].Value;
            return new Row(Text("Check"), Text("Target"), Text("TenantId"), Text("Result"), Text("Detail"), Text("Code"), Text("Remedy"));
        }
    }
}
