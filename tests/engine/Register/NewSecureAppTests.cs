using System.Management.Automation;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.Register;

/// <summary>New-SecureApp from an estate without an application: plan, changes, a second run, and that what is made works.</summary>
public sealed class NewSecureAppTests : IDisposable
{
    private const string Whole =
        "New-SecureApp 'Contoso SAM' -Profile Partner, Audit -Role 'Security Reader' -ConfigurePreconsent -GrantAdminConsent -WarningAction SilentlyContinue";

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
    private readonly Sandbox _sandbox = Registering.StartEmpty();
    private readonly Engine _engine;

    public NewSecureAppTests()
    {
        _engine = Engine.Open().WithAdministrator(_sandbox);
        _engine.Set("folder", _folder);
    }

    [Fact]
    public void WhatIf_prints_the_plan_a_line_a_change_and_sends_no_changing_request()
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(Whole + " -WhatIf").Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Empty(_sandbox.Changes());
        Assert.True(_sandbox.Stats()["requests"]!.GetValue<int>() > 0);
        string[] lines = [.. outcome.Screen.Split('\n').Where(line => line.Contains("What if:", StringComparison.Ordinal))];
        Assert.Contains(lines, line => line.Contains("Create the application for several organizations", StringComparison.Ordinal) && line.Contains("http://localhost", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("Grant the application permission ActivityFeed.Read of Office 365 Management APIs", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("Assign the directory role Security Reader", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("AdminAgents", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Contains("'Contoso SAM' in Contoso Partner", line));

        Outcome made = _engine.Run(Whole).Succeeded();
        Assert.Equal(lines.Length, ((string[])made.Property("Created")!).Length);
    }

    [Fact]
    public void A_second_run_changes_nothing_and_says_so()
    {
        Outcome first = _engine.Run(Whole).Succeeded();
        _sandbox.ResetStats();

        Outcome second = _engine.Run(Whole).Succeeded();

        Assert.Empty(_sandbox.Changes());
        Assert.Contains("Nothing to change: 'Contoso SAM' in Contoso Partner", second.Screen);
        Assert.Equal((false, (object?)null), ((bool)second.Property("HasChanged")!, second.Property("Credential")));
        Assert.Equal(first.Property("ApplicationId"), second.Property("ApplicationId"));
        Assert.Equal(true, first.Property("HasChanged"));
    }

    [Fact]
    public void What_is_made_signs_users_in_and_gets_tokens_in_customers_once_they_consent()
    {
        _engine.Run("$global:app = New-SecureApp 'Contoso SAM' -Profile Partner, SecurityReader -GrantAdminConsent").Succeeded();
        Assert.Equal(
            _sandbox.Facts.PartnerTenantId,
            _engine.Run("(Get-SecureAppAccessToken -Credential $app.Credential -TenantId $app.TenantId -Resource https://graph.microsoft.com).TenantId").Succeeded().Single<string>());
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $app.Credential -NoBrowser");
        User.Carry(_sandbox.SignIn(new { url = _engine.AddressOnScreen() }));
        _engine.Set("signedIn", running.Wait().Succeeded().Output[0]);

        Outcome before = _engine.Run("Get-SecureAppAccessToken -Credential $signedIn -TenantId $customer -Resource https://graph.microsoft.com -ErrorAction SilentlyContinue");
        _sandbox.SetTenant(_sandbox.Facts.Tenants[0].TenantId, new { consent = "granted", servicePrincipal = true });
        Outcome after = _engine.Run("(Get-SecureAppAccessToken -Credential $signedIn -TenantId $customer -Resource https://graph.microsoft.com).Account");

        Assert.Empty(before.Output);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, after.Succeeded().Single<string>());
        Assert.Equal(2, _engine.Run("Get-DelegatedTenant -Credential $signedIn").Succeeded().Output.Count);
    }

    [Fact]
    public void A_certificate_proves_it_and_is_given_back_each_time()
    {
        _engine.Run("$global:made = New-SecureAppCertificate 'Mailbox robot' -PemPath $folder/robot.pem").Succeeded();
        const string Script =
            "New-SecureApp 'Mailbox robot' -SingleTenant -Profile ExchangeAutomation -Role 'Exchange Administrator' -GrantAdminConsent -CertificateCredential $made";

        Outcome first = _engine.Run(Script).Succeeded();
        Outcome second = _engine.Run("$global:robot = " + Script + "; $robot").Succeeded();

        Assert.Contains("Add the certificate", string.Join('\n', (string[])first.Property("Created")!));
        Assert.Equal(false, second.Property("HasChanged"));
        Outcome token = _engine.Run("(ConvertFrom-SecureAppAccessToken (Get-SecureAppAccessToken -Credential $robot.Credential -TenantId $robot.TenantId -Resource https://outlook.office365.com)).Roles");
        Assert.Equal("Exchange.ManageAsApp", token.Succeeded().Single<string>());
        Outcome listed = _engine.Run("Get-SecureApp 'Mailbox robot'").Succeeded();
        Assert.Equal("AzureADMyOrg", listed.Property("SignInAudience"));
        Assert.Equal(_engine.Run("$made.Thumbprint").Single<string>(), _engine.Run("(Get-SecureApp 'Mailbox robot').Keys[0].Hint").Single<string>());
    }

    [Fact]
    public void The_CSV_file_holds_the_secret_for_its_owner_alone_and_nothing_else_does()
    {
        Outcome outcome = _engine.Run("$global:app = New-SecureApp 'Contoso, SAM' -CsvPath $folder/app.csv; $app").Succeeded();

        string path = Path.Combine(_folder, "app.csv");
        string[] lines = File.ReadAllLines(path);
        Assert.Equal("\"ApplicationName\",\"TenantName\",\"TenantId\",\"clientId\",\"clientSecret\"", lines[0]);
        Assert.StartsWith($"\"Contoso, SAM\",\"Contoso Partner\",\"{_sandbox.Facts.PartnerTenantId}\",\"{outcome.Property("ApplicationId")}\",\"", lines[1], StringComparison.Ordinal);
        string secret = lines[1].Split('"')[^2];
        Assert.Equal(40, secret.Length);
        Assert.Contains(outcome.Warnings, warning => warning.Contains("plain text", StringComparison.Ordinal));
        Assert.Equal(path, outcome.Property("CsvPath"));
        string shown = outcome.AllText + _engine.Render("$app") + _engine.Run("[System.Management.Automation.PSSerializer]::Serialize($app)").Single<string>();
        Assert.DoesNotContain(secret, shown);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        File.Delete(path);
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_an_error_and_the_secret_is_in_the_result()
    {
        Outcome outcome = _engine.Run("New-SecureApp 'Contoso SAM' -CsvPath $folder");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("CSV file", error.Exception.Message, StringComparison.Ordinal);
        Assert.Null(outcome.Property("CsvPath"));
        Assert.NotNull(outcome.Property("Credential"));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_folder)!, Path.GetFileName(_folder) + ".*.tmp"));
    }

    [Fact]
    public void A_brought_token_lets_the_administrator_in()
    {
        Outcome outcome = _engine.Run(
            "$token = Get-SecureAppAccessToken -Credential $administrator -TenantId $sandbox.PartnerTenantId -Resource https://graph.microsoft.com; Clear-SecureAppDefault -Credential; New-SecureApp Brought -AccessToken $token.AccessToken").Succeeded();

        Assert.NotEmpty((string[])outcome.Property("Created")!);
        Assert.NotNull(outcome.Property("Credential"));
    }

    /// <summary>A domain is another's as much as an id is.</summary>
    [Fact]
    public void A_brought_token_is_used_in_no_other_tenant_than_its_own()
    {
        const string Brought = "$token = (Get-SecureAppAccessToken -Credential $administrator -TenantId $sandbox.PartnerTenantId -Resource https://graph.microsoft.com).AccessToken; ";
        foreach (string tenant in new[] { _sandbox.Facts.Tenants[0].DefaultDomainName, _sandbox.Facts.Tenants[0].TenantId })
        {
            _engine.Set("elsewhere", tenant);

            ErrorRecord error = _engine.Refused(Brought + "New-SecureApp Brought -AccessToken $token -TenantId $elsewhere");

            Assert.Contains("and -TenantId names " + tenant, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
            Assert.Empty(_sandbox.Changes());
        }
    }

    [Fact]
    public void Without_a_credential_the_administrator_signs_in_with_a_code()
    {
        RunningScript running = _engine.Start("New-SecureApp 'With a code' -UseDeviceCode -Role 'Global Reader'");
        string code = _engine.WaitForText(new System.Text.RegularExpressions.Regex("enter the code ([A-Z0-9]+)")).Groups[1].Value;
        _sandbox.SignIn(new { userCode = code });

        Outcome outcome = running.Wait().Succeeded();

        Assert.Contains("Assign the directory role Global Reader", (string[])outcome.Property("Created")!);
    }

    [Fact]
    public void A_saved_secret_comes_back_and_works()
    {
        _engine.Run("$global:app = New-SecureApp Kept; Save-SecureAppCredential -Name kept -VaultName vault -Credential $app.Credential").Succeeded();

        Outcome token = _engine.Run(
            "(Get-SecureAppAccessToken -Credential (Get-SecureAppCredential -Name kept -VaultName vault -VaultCredential $app.Credential) -TenantId $app.TenantId -Resource https://graph.microsoft.com).ApplicationId");

        Assert.Equal(_engine.Run("$app.ApplicationId").Single<string>(), token.Succeeded().Single<string>());
    }

    [Theory]
    [InlineData("New-SecureApp $null", "-DisplayName is empty")]
    [InlineData("New-SecureApp", "No name was given")]
    [InlineData("New-SecureApp x -ApplicationId y", "not an application id")]
    [InlineData("New-SecureApp x -Role $null", "-Role is empty")]
    [InlineData("New-SecureApp x -Role Contributor", "Azure resources")]
    [InlineData("New-SecureApp x -RedirectUri http://contoso.example", "localhost alone")]
    [InlineData("New-SecureApp x -CertificateCredential $administrator", "no certificate")]
    [InlineData("New-SecureApp x -CertificateCredential 7", "Int32")]
    [InlineData("New-SecureApp x -RequiredResourceAccess @{ resourceAppId = 'x' }", "names no API")]
    [InlineData("New-SecureApp x -RequiredResourceAccess @{ resourceAppId = '00000003-0000-0000-c000-000000000000'; resourceAccess = @{ id = 'a b'; type = 'Role' } }", "no API, no type")]
    [InlineData("New-SecureApp x -AccessToken not-a-token", "cannot be read|whose content can be read")]
    [InlineData("New-SecureApp x -AccessToken a -UseDeviceCode", "More than one administrator")]
    [InlineData("New-SecureApp x -TenantId 'no tenant'", "neither a tenant id nor a domain")]
    [InlineData("New-SecureApp x -CsvPath Variable:x", "holds no files")]
    [InlineData("Remove-SecureApp", "No application was named")]
    [InlineData("Remove-SecureApp ''", "-ApplicationId is empty")]
    [InlineData("Remove-SecureApp x", "not an application id")]
    [InlineData("Get-SecureApp ''", "-DisplayName is empty")]
    [InlineData("Get-SecureApp -ApplicationId x", "not an application id")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Matches("(?i)" + expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Recorder.HearAndDelete(_folder);
    }
}
