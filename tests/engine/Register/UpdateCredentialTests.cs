using System.Management.Automation;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.KeyVault;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.Register;

/// <summary>Update-SecureAppCredential: what is stored goes on working, and what is written says what became of every key.</summary>
public sealed class UpdateCredentialTests : IDisposable
{
    private const string Update =
        "Update-SecureAppCredential sam -VaultName vault -VaultCredential $keeper -AdministratorCredential $administrator -RetireAfter 0";

    private const string Redeem =
        "(Get-SecureAppAccessToken -Credential (Get-SecureAppCredential sam -VaultName vault -VaultCredential $keeper) -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh).ApplicationId";

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
    private readonly Sandbox _sandbox = Registering.StartEmpty();
    private readonly Engine _engine;

    public UpdateCredentialTests()
    {
        _engine = Engine.Open().WithAdministrator(_sandbox);
        _engine.Set("folder", _folder);
        _engine.Run(
            """
            $global:app = New-SecureApp 'Contoso SAM' -Profile Partner, SecurityReader -GrantAdminConsent
            $global:keeper = (New-SecureApp Keeper -SingleTenant).Credential
            Save-SecureAppCredential sam -VaultName vault -VaultCredential $keeper -Credential $app.Credential
            """).Succeeded();
    }

    [Fact]
    public void WhatIf_prints_the_steps_and_sends_no_changing_request()
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(Update + " -WhatIf").Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Empty(_sandbox.Changes());
        Assert.DoesNotContain(_sandbox.Stats()["byPath"]!.AsObject(), route => route.Key.StartsWith("PUT ", StringComparison.Ordinal));
        string[] lines = [.. outcome.Screen.Split('\n').Where(line => line.Contains("What if:", StringComparison.Ordinal))];
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Contains("'Contoso SAM' in", line));
        Assert.Contains("Add a client secret for 365 days", lines[0]);
        Assert.Contains("/secrets/sam", lines[1]);
        // By its id alone: Graph's hint is the beginning of the secret.
        Assert.Contains($"the client secret ({_engine.Run("$app.SecretId").Single<string>()})", lines[2]);
        Assert.Equal(_engine.Run("$app.ApplicationId").Single<string>(), _engine.Run(Redeem).Succeeded().Single<string>());
    }

    [Fact]
    public void A_stored_credential_is_updated_by_its_name_and_shows_no_secret()
    {
        Outcome outcome = _engine.Run("$global:update = " + Update + " -SecretDays 90; $update").Succeeded();

        Assert.Empty(outcome.Warnings);
        Assert.Equal("Secret", outcome.Property("Kind"));
        Assert.EndsWith("/secrets/sam", (string)outcome.Property("Store")!);
        DateTimeOffset end = (DateTimeOffset)outcome.Property("ExpiresOn")!;
        Assert.Equal(TimeSpan.Zero, end.Offset);
        Assert.InRange(end, DateTimeOffset.UtcNow.AddDays(89), DateTimeOffset.UtcNow.AddDays(91));
        Assert.Equal([(string)outcome.Property("KeyId")!], Keys());
        Assert.Equal(_engine.Run("$app.SecretId").Single<string>(), _engine.Run("$update.Retired[0].KeyId").Single<string>());
        Assert.Equal(_engine.Run("$app.ApplicationId").Single<string>(), _engine.Run(Redeem).Succeeded().Single<string>());
        ErrorRecord old = Assert.Single(_engine.Run(
            "Get-SecureAppAccessToken -Credential $app.Credential -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh").Errors);
        Assert.Contains("AADSTS7000215", old.Exception.Message);
        string screen = _engine.Render("$update");
        Assert.Contains("Retired", screen);
        Assert.Contains("Contoso SAM", screen);
    }

    [Fact]
    public void The_user_stays_signed_in()
    {
        SignIn();

        Outcome outcome = _engine.Run(
            $$"""
            Save-SecureAppCredential sam -VaultName vault -VaultCredential $keeper -Credential $signedIn
            $update = {{Update}}
            foreach ($one in $update.Credential, (Get-SecureAppCredential sam -VaultName vault -VaultCredential $keeper)) {
                (Get-SecureAppAccessToken -Credential $one -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh).Account
            }
            $update.Credential.Store
            """).Succeeded();

        Assert.Equal([_sandbox.Facts.UserPrincipalName, _sandbox.Facts.UserPrincipalName], outcome.Output.Take(2).Select(one => one.ToString()));
        Assert.EndsWith("/secrets/sam", outcome.Output[2].ToString());
    }

    [Fact]
    public void A_vault_that_the_user_has_no_consent_for_names_the_way_without_the_user()
    {
        SignIn();

        ErrorRecord error = _engine.Refused("Get-SecureAppCredential sam -VaultName vault -VaultCredential $signedIn");

        Assert.Contains("AADSTS65001", error.Exception.Message);
        Assert.Contains("-AppOnly", error.ErrorDetails.RecommendedAction);
        _engine.Run("Get-SecureAppCredential sam -VaultName vault -VaultCredential $signedIn -AppOnly").Succeeded();
    }

    /// <summary>Also where the default is what opens the vault.</summary>
    [Theory]
    [InlineData("-VaultCredential $keeper")]
    [InlineData("-AppOnly")]
    public void The_sessions_default_becomes_the_updated_credential_where_it_is_the_same_one(string access)
    {
        Outcome outcome = _engine.Run(
            $$"""
            Set-SecureAppDefault -Credential (Get-SecureAppCredential sam -VaultName vault -VaultCredential $keeper)
            $update = Update-SecureAppCredential sam -VaultName vault {{access}} -AdministratorCredential $administrator -RetireAfter 0 -Verbose
            $update.Retired.Count
            [object]::ReferenceEquals($update.Credential, (Get-SecureAppDefault).Credential)
            (Get-SecureAppAccessToken -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh).ApplicationId
            """).Succeeded();

        Assert.Equal([1, true, _engine.Run("$app.ApplicationId").Single<string>()], outcome.Output.Select(one => one.BaseObject));
        Assert.Contains(outcome.Verbose, line => line.Contains("default credential", StringComparison.Ordinal));
    }

    [Fact]
    public void A_default_with_the_same_key_from_elsewhere_keeps_it()
    {
        Outcome outcome = _engine.Run(
            $$"""
            Save-SecureAppCredential other -VaultName vault -VaultCredential $keeper -Credential $app.Credential
            Set-SecureAppDefault -Credential $app.Credential
            $update = {{Update}}
            $update.Retired.Count
            $update.Kept[0].Reason
            (Get-SecureAppAccessToken -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh).ApplicationId
            """).Succeeded();

        Assert.Equal(0, outcome.Output[0].BaseObject);
        Assert.StartsWith("The session's default credential proves itself with it", (string)outcome.Output[1].BaseObject);
        Assert.Equal(_engine.Run("$app.ApplicationId").Single<string>(), outcome.Output[2].BaseObject);
    }

    [Fact]
    public void A_key_that_opens_the_vault_stays_and_no_parameter_is_named_that_was_not_given()
    {
        Outcome outcome = _engine.Run(
            """
            Save-SecureAppCredential other -VaultName vault -VaultCredential $keeper -Credential $app.Credential
            Set-SecureAppDefault -Credential $app.Credential
            $loaded = Get-SecureAppCredential sam -VaultName vault
            Clear-SecureAppDefault -Credential
            $update = Update-SecureAppCredential $loaded -AdministratorCredential $administrator -RetireAfter 0
            $update.Retired.Count
            $update.Kept[0].Reason
            """).Succeeded();

        Assert.Equal(0, outcome.Output[0].BaseObject);
        Assert.StartsWith("The credential that opens the key vault proves itself with it", (string)outcome.Output[1].BaseObject);
    }

    [Fact]
    public void A_certificate_takes_the_place_of_a_secret_and_of_an_older_certificate()
    {
        Outcome outcome = _engine.Run(
            """
            $one = New-SecureAppCertificate 'One' -PemPath $folder/one.pem
            $two = New-SecureAppCertificate 'Two' -PemPath $folder/two.pem
            $bare = (Update-SecureAppCredential $app.Credential -AdministratorCredential $administrator -KeepOld).Credential
            Remove-SecureAppCredential sam -VaultName vault -VaultCredential $keeper
            $first = Update-SecureAppCredential $bare -AdministratorCredential $administrator -CertificateCredential $one
            $second = Update-SecureAppCredential $first.Credential -AdministratorCredential $administrator -CertificateCredential $two
            $first.Kind; $first.Retired.Count; $second.Retired[0].Hint -eq $one.Thumbprint; $second.KeyId.Length
            (Get-SecureAppAccessToken -Credential $second.Credential -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh).ApplicationId
            """).Succeeded();

        Assert.Equal(["Certificate", "2", "True", "36", _engine.Run("$app.ApplicationId").Single<string>()], outcome.Output.Select(one => one.ToString()));
        Assert.Single(Keys());
        ErrorRecord none = _engine.Refused(
            "Update-SecureAppCredential (New-SecureAppCredential $app.ApplicationId -TenantId $app.TenantId -CertificatePath $folder/two.pem) -AdministratorCredential $administrator");
        Assert.Contains("no new one was given", none.Exception.Message);
    }

    [Fact]
    public void A_SecretManagement_vault_is_written_before_the_old_key_goes_and_where_it_cannot_be_nothing_is_lost()
    {
        const string Local = "Update-SecureAppCredential sam -SecretManagementVault Local -AdministratorCredential $administrator -RetireAfter 0";
        const string Stored =
            "(Get-SecureAppAccessToken -Credential (Get-SecureAppCredential sam -SecretManagementVault Local) -TenantId $app.TenantId -Resource https://graph.microsoft.com -ForceRefresh).ApplicationId";
        string id = _engine.Run("$app.ApplicationId").Single<string>();
        _engine.Run(StoredCredentialTests.SecretManagement + "\nSave-SecureAppCredential sam -SecretManagementVault Local -Credential $app.Credential").Succeeded();

        Outcome well = _engine.Run(Local).Succeeded();
        Assert.Equal("Local/sam", well.Property("Store"));
        Assert.Single((object[])well.Property("Retired")!);
        Assert.Equal(id, _engine.Run(Stored).Succeeded().Single<string>());

        Outcome locked = _engine.Run("$global:locked = $true; $global:update = " + Local + "; $global:locked = $false; $update");

        Assert.Contains("The vault is locked", Assert.Single(locked.Errors).Exception.Message);
        Assert.Null(locked.Property("Store"));
        Assert.Empty((object[])locked.Property("Retired")!);
        Assert.Contains("not in the store", _engine.Run("$update.Kept[0].Reason").Single<string>());
        Assert.Equal(id, _engine.Run(Stored).Succeeded().Single<string>());
        Assert.Equal(id, _engine.Run("(Get-SecureAppAccessToken -Credential $update.Credential -TenantId $app.TenantId -Resource https://graph.microsoft.com).ApplicationId").Succeeded().Single<string>());
    }

    [Fact]
    public void Names_are_piped_and_a_wrong_one_stops_no_other()
    {
        Outcome outcome = _engine.Run(
            "'missing', 'sam' | Update-SecureAppCredential -VaultName vault -VaultCredential $keeper -AdministratorCredential $administrator -RetireAfter 0");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.NotFound", error.FullyQualifiedErrorId);
        Assert.Equal("missing", error.TargetObject);
        Assert.Equal("Contoso SAM", outcome.Property("DisplayName"));
    }

    [Fact]
    public void Where_the_application_may_not_change_itself_an_administrator_signs_in()
    {
        RunningScript running = _engine.Start("Update-SecureAppCredential sam -VaultName vault -VaultCredential $keeper -UseDeviceCode -RetireAfter 0");
        string code = _engine.WaitForText(new System.Text.RegularExpressions.Regex("enter the code ([A-Z0-9]+)")).Groups[1].Value;
        _sandbox.SignIn(new { userCode = code });

        Outcome outcome = running.Wait().Succeeded();

        Assert.Single((object[])outcome.Property("Retired")!);
        Assert.Single(Keys());
    }

    [Fact]
    public void An_application_that_owns_itself_needs_no_administrator()
    {
        _engine.Run(
            """
            $global:robot = New-SecureApp Robot -SingleTenant -GrantAdminConsent -RequiredResourceAccess @{ resourceAppId = '00000003-0000-0000-c000-000000000000'; resourceAccess = @{ id = 'Application.ReadWrite.OwnedBy'; type = 'Role' } }
            """).Succeeded();

        ErrorRecord refused = _engine.Refused("Update-SecureAppCredential $robot.Credential");
        Outcome set = _engine.Run("Set-SecureApp Robot -AllowSelfUpdate -GrantAdminConsent").Succeeded();
        Outcome outcome = _engine.Run("Update-SecureAppCredential $robot.Credential -Force").Succeeded();

        Assert.StartsWith("SecureAppModel.Denied", refused.FullyQualifiedErrorId);
        Assert.StartsWith("The old credential works as before.", refused.ErrorDetails.RecommendedAction);
        Assert.StartsWith("Make the service principal an owner", Assert.Single((string[])set.Property("Created")!));
        Assert.Empty(outcome.Warnings);
        Assert.Single((object[])outcome.Property("Retired")!);
    }

    [Theory]
    [InlineData("Update-SecureAppCredential $null", "-Credential was given, but is empty")]
    [InlineData("Update-SecureAppCredential sam", "is a text")]
    [InlineData("Update-SecureAppCredential -Name sam", "No store was given")]
    [InlineData("Update-SecureAppCredential ' ' -VaultName vault", "has no name")]
    [InlineData("Update-SecureAppCredential sam -VaultName vault -VaultCredential $undefined", "-VaultCredential was given, but is empty")]
    [InlineData("Update-SecureAppCredential $keeper -KeepOld -Force", "to be kept and to be removed")]
    [InlineData("Update-SecureAppCredential $keeper -RetireAfter 30", "no time span")]
    [InlineData("Update-SecureAppCredential $keeper -RetireAfter 02:00:00", "longer than an hour")]
    [InlineData("Update-SecureAppCredential $keeper -CertificateCredential $keeper", "no certificate")]
    [InlineData("Update-SecureAppCredential $keeper -CertificateCredential $null", "-CertificateCredential is empty")]
    [InlineData("Update-SecureAppCredential $administrator", "proves itself by nothing")]
    [InlineData("Update-SecureAppCredential $keeper -AccessToken a -UseDeviceCode", "More than one administrator")]
    [InlineData("Update-SecureAppCredential $keeper -AdministratorCredential $null", "-AdministratorCredential was given, but is empty")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Contains(expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Recorder.HearAndDelete(_folder);
    }

    /// <summary>Sets <c>$signedIn</c>, the application's credential with a user's refresh token.</summary>
    private void SignIn()
    {
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $app.Credential -NoBrowser");
        User.Carry(_sandbox.SignIn(new { url = _engine.AddressOnScreen() }));
        _engine.Set("signedIn", running.Wait().Succeeded().Output[0]);
    }

    private string[] Keys() =>
        [.. _engine.Run("(Get-SecureApp -ApplicationId $app.ApplicationId).Keys.KeyId").Succeeded().Output.Select(one => one.ToString())];
}
