using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>What a process writes to a store by itself: its newest refresh token once, and never over what was saved, edited or removed.</summary>
public sealed class StoreWriterTests : IDisposable
{
    private const string Redeem = "$null = Get-SecureAppAccessToken -Credential $stored -TenantId $sandbox.PartnerTenantId -Resource https://graph.microsoft.com -ForceRefresh";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public StoreWriterTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Run(
            """
            $global:vault = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId }
            Save-SecureAppCredential -Name sam -VaultName contoso -Credential $credential
            """).Succeeded();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public void The_end_of_a_process_stores_the_newest_refresh_token_once_however_often_it_was_loaded()
    {
        RunProcess(
            """
            foreach ($n in 1..10) {
                $stored = Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault
                $null = Get-SecureAppAccessToken -Credential $stored -TenantId $tenant -Resource https://graph.microsoft.com -ForceRefresh
            }
            """);

        Assert.Equal(2, _sandbox.Stats()["byPath"]!["PUT /secrets/{name}"]!.GetValue<int>());
        Assert.DoesNotContain(_sandbox.Facts.RefreshToken, Kept());
        _engine.Run("$stored = Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault; " + Redeem).Succeeded();
    }

    [Fact]
    public void The_end_of_a_process_undoes_no_save_and_no_removal()
    {
        RunProcess(
            """
            $stored = Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault
            Save-SecureAppCredential gone -VaultName contoso -Credential $stored -VaultCredential $vault
            $gone = Get-SecureAppCredential gone -VaultName contoso -VaultCredential $vault
            $stored = Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault
            foreach ($one in $stored, $gone) {
                $null = Get-SecureAppAccessToken -Credential $one -TenantId $tenant -Resource https://graph.microsoft.com -ForceRefresh
            }
            $new = New-SecureAppCredential $id -Secret 'SECRET-AFTER-ROTATION' -RefreshToken 'ANOTHER-USERS-TOKEN' -TenantId $tenant -Account new@contoso.com
            Save-SecureAppCredential sam -VaultName contoso -Credential $new -VaultCredential $vault
            Remove-SecureAppCredential gone -VaultName contoso -VaultCredential $vault -Confirm:$false
            "$($stored.Store)$($gone.Store)"
            """);

        string kept = Kept();
        Assert.Contains("SECRET-AFTER-ROTATION", kept);
        Assert.Contains("ANOTHER-USERS-TOKEN", kept);
        Assert.Contains("new@contoso.com", kept);
        _engine.Refused("Get-SecureAppCredential gone -VaultName contoso -VaultCredential $vault");
    }

    [Fact]
    public void A_SecretManagement_vault_keeps_what_was_put_there_since()
    {
        _engine.Run(
            StoredCredentialTests.SecretManagement +
            """

            function global:Load {
                Save-SecureAppCredential sam -SecretManagementVault Local -Credential $credential
                $text = [System.Net.NetworkCredential]::new('', $global:vaults.Local.sam).Password
                $global:vaults.Local.sam = [regex]::Replace($text, '"savedOn":\d+', '"savedOn":1')
                $global:stored = Get-SecureAppCredential sam -SecretManagementVault Local
            }
            """).Succeeded();
        foreach ((string change, string said) in new[]
        {
            ("$global:vaults.Local.sam = $global:vaults.Local.sam.Replace($sandbox.Secret, 'ROTATED')", "was replaced"),
            ("$global:vaults.Local.Remove('sam')", "was removed"),
        })
        {
            Outcome outcome = _engine.Run("Load; " + change + "; $global:calls.Clear(); " + Redeem + "; " + Redeem + "; $global:calls").Succeeded();

            Assert.Contains(said, Assert.Single(outcome.Warnings));
            Assert.Equal(["Get-Secret Local sam"], outcome.Output.Select(item => item.BaseObject));
        }

        Outcome removed = _engine.Run(
            "Load; Remove-SecureAppCredential sam -SecretManagementVault Local; $global:calls.Clear(); " + Redeem + "; $global:calls").Succeeded();
        Assert.Empty(removed.Output);
        Assert.Empty(removed.Warnings);
    }

    [Fact]
    public void The_days_left_are_those_of_the_token_that_is_kept()
    {
        Outcome outcome = _engine.Run(
            """
            $old = New-SecureAppCredential $sandbox.ApplicationId -Secret (ConvertTo-Secret $sandbox.Secret) -RefreshToken (ConvertTo-Secret $sandbox.RefreshToken) -TenantId $sandbox.PartnerTenantId -AcquiredOn ([datetimeoffset]::UtcNow.AddDays(-80))
            $null = Get-SecureAppAccessToken -Credential $old -TenantId $customer -Resource https://graph.microsoft.com
            $old.RefreshTokenDaysLeft
            $null = Get-SecureAppAccessToken -Credential $old -TenantId $sandbox.PartnerTenantId -Resource https://graph.microsoft.com
            $old.RefreshTokenDaysLeft
            """).Succeeded();

        Assert.InRange((int)outcome.Output[0].BaseObject, 8, 10);
        Assert.InRange((int)outcome.Output[1].BaseObject, 88, 90);
    }

    /// <summary>Runs a script in a process of its own, with <c>$vault</c>, <c>$tenant</c> and <c>$id</c>, to its end.</summary>
    private void RunProcess(string script) => ChildEngine.Run(
        """
        param($module, $login, $graph, $keyVault, $certificate, $id, $tenant, $secret)
        Import-Module $module
        Add-SecureAppEnvironment -Name Child -LoginEndpoint $login -GraphEndpoint $graph -KeyVaultEndpoint $keyVault -CertificatePath $certificate
        Set-SecureAppDefault -Environment Child
        $vault = @{ appId = $id; secret = $secret; tenantId = $tenant }

        """ + script,
        Repository.Manifest,
        _sandbox.Facts.Endpoints["login"],
        _sandbox.Facts.Endpoints["graph"],
        _sandbox.Facts.Endpoints["keyVault"],
        _sandbox.Facts.CertificatePath,
        _sandbox.Facts.ApplicationId,
        _sandbox.Facts.PartnerTenantId,
        _sandbox.Facts.Secret).Succeeded();

    /// <summary>What the key vault holds, as the application reads it.</summary>
    private string Kept() => _engine.Run("Get-SecureAppKeyVaultSecret contoso sam -Credential $vault -AsPlainText").Succeeded().Single<string>();
}
