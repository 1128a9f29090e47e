using System.Management.Automation;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>Credentials in their stores: saved, made again, kept current, removed, and shown nowhere.</summary>
public sealed class StoredCredentialTests : IDisposable
{
    /// <summary>SecretManagement's commands with their true parameters, over a table; <c>$global:calls</c> lists what was called.</summary>
    internal const string SecretManagement =
        """
        $global:vaults = @{ Local = @{} }
        $global:calls = [System.Collections.Generic.List[string]]::new()
        function global:Get-Secret {
            [CmdletBinding(DefaultParameterSetName = 'NameParameterSet')] param(
                [Parameter(ParameterSetName = 'NameParameterSet', Mandatory, Position = 0)] [string] $Name,
                [Parameter(ParameterSetName = 'NameParameterSet', Position = 1)] [string] $Vault,
                [Parameter(ParameterSetName = 'InfoParameterSet', Mandatory, ValueFromPipeline)] [object] $InputObject,
                [switch] $AsPlainText)
            $global:calls.Add("Get-Secret $Vault $Name")
            if (-not $global:vaults[$Vault].ContainsKey($Name)) {
                $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([Exception]::new("The secret $Name was not found."), 'GetSecretNotFound', 'ObjectNotFound', $null))
                return
            }
            $global:vaults[$Vault][$Name]
        }
        function global:Set-Secret {
            [CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'SecureStringParameterSet')] param(
                [Parameter(Mandatory, Position = 0)] [string] $Name,
                [Parameter(ParameterSetName = 'ObjectParameterSet', Mandatory, Position = 1, ValueFromPipeline)] [object] $Secret,
                [Parameter(ParameterSetName = 'SecureStringParameterSet', Mandatory)] [securestring] $SecureStringSecret,
                [Parameter(Position = 2)] [string] $Vault,
                [Parameter(Position = 3)] [hashtable] $Metadata,
                [switch] $NoClobber)
            $global:calls.Add("Set-Secret $Vault $Name $($Secret.GetType().Name)")
            if ($global:locked) { throw 'The vault is locked.' }
            $global:vaults[$Vault][$Name] = $Secret
        }
        function global:Remove-Secret {
            [CmdletBinding(SupportsShouldProcess)] param(
                [Parameter(Mandatory, Position = 0)] [string] $Name,
                [Parameter(Mandatory, Position = 1)] [string] $Vault)
            $global:calls.Add("Remove-Secret $Vault $Name")
            $global:vaults[$Vault].Remove($Name)
        }
        """;

    private const string Redeem = "$null = Get-SecureAppAccessToken -Credential $stored -TenantId $sandbox.PartnerTenantId -Resource https://graph.microsoft.com -ForceRefresh";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public StoredCredentialTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Run("$global:vault = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId }").Succeeded();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public void A_credential_in_a_key_vault_is_made_again_and_acts_for_its_user()
    {
        Outcome outcome = _engine.Run(
            """
            Save-SecureAppCredential -Name sam -VaultName contoso -Credential $credential
            $stored = Get-SecureAppCredential -Name sam -VaultName contoso -VaultCredential $vault
            $stored
            (Get-SecureAppAccessToken -Credential $stored -TenantId $customer -Resource https://graph.microsoft.com).Account
            """).Succeeded();

        Assert.Equal(2, outcome.Output.Count);
        PSObject stored = outcome.Output[0];
        Assert.Equal(_sandbox.Facts.ApplicationId, stored.Properties["ApplicationId"].Value);
        Assert.Equal(true, stored.Properties["HasRefreshToken"].Value);
        Assert.EndsWith("/secrets/sam", (string)stored.Properties["Store"].Value);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, outcome.Output[1].BaseObject);
        Assert.DoesNotContain(_sandbox.Facts.Secret, outcome.AllText);
        Assert.DoesNotContain(_sandbox.Facts.RefreshToken, outcome.AllText);
    }

    [Fact]
    public void A_certificate_is_not_stored_and_that_is_said()
    {
        Outcome outcome = _engine.Run(
            """
            $certificate = @{
                ApplicationId = $sandbox.ApplicationId; TenantId = $sandbox.PartnerTenantId
                CertificatePath = $sandbox.CertificatePfxPath; CertificatePassword = $sandbox.CertificatePfxPassword
            }
            $certified = New-SecureAppCredential @certificate -RefreshToken $sandbox.RefreshToken
            Save-SecureAppCredential -Name certified -VaultName contoso -Credential $certified
            (Get-SecureAppCredential -Name certified -VaultName contoso -VaultCredential $vault).HasRefreshToken
            """).Succeeded();

        Assert.Contains("certificate is not stored", Assert.Single(outcome.Warnings));
        Assert.True(outcome.Single<bool>());
        ErrorRecord alone = _engine.Refused("Save-SecureAppCredential -Name alone -VaultName contoso -Credential (New-SecureAppCredential @certificate)");
        Assert.Contains("nothing but a certificate", alone.Exception.Message);
    }

    [Fact]
    public void A_SecretManagement_vault_keeps_a_credential()
    {
        Outcome outcome = _engine.Run(
            SecretManagement +
            """

            $credential | Save-SecureAppCredential sam -SecretManagementVault Local
            $stored = Get-SecureAppCredential sam -SecretManagementVault Local
            $stored.Store
            (Get-SecureAppAccessToken -Credential $stored -TenantId $customer -Resource https://graph.microsoft.com).Account
            Remove-SecureAppCredential sam -SecretManagementVault Local
            $global:calls
            """).Succeeded();

        Assert.Equal(
            ["Local/sam", _sandbox.Facts.UserPrincipalName!, "Set-Secret Local sam SecureString", "Get-Secret Local sam", "Remove-Secret Local sam"],
            outcome.Output.Select(item => item.BaseObject.ToString()!));
    }

    [Fact]
    public void A_SecretManagement_vault_is_written_again_once_its_copy_is_a_day_old()
    {
        _engine.Run(SecretManagement + "\nSave-SecureAppCredential sam -SecretManagementVault Local -Credential $credential").Succeeded();
        _engine.Run(
            """
            $text = [System.Net.NetworkCredential]::new('', $global:vaults.Local.sam).Password
            $global:vaults.Local.sam = [regex]::Replace($text, '"savedOn":\d+', '"savedOn":1')
            $global:calls.Clear()
            $global:stored = Get-SecureAppCredential sam -SecretManagementVault Local
            """).Succeeded();

        Outcome outcome = _engine.Run(Redeem + "\n" + Redeem + "\n$global:calls").Succeeded();

        Assert.Equal(
            ["Get-Secret Local sam", "Get-Secret Local sam", "Set-Secret Local sam SecureString"],
            outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_store_that_cannot_be_written_is_a_warning_and_the_token_comes()
    {
        _engine.Run(SecretManagement + "\nSave-SecureAppCredential sam -SecretManagementVault Local -Credential $credential").Succeeded();
        _engine.Run(
            """
            $text = [System.Net.NetworkCredential]::new('', $global:vaults.Local.sam).Password
            $global:vaults.Local.sam = [regex]::Replace($text, '"savedOn":\d+', '"savedOn":1')
            $global:stored = Get-SecureAppCredential sam -SecretManagementVault Local
            $global:locked = $true
            """).Succeeded();

        Outcome outcome = _engine.Run(Redeem.Replace("$null = ", "") + "\n" + Redeem).Succeeded();

        Assert.Single(outcome.Output);
        string warning = Assert.Single(outcome.Warnings);
        Assert.Contains("could not be stored", warning);
        Assert.Contains("The vault is locked", warning);
        Assert.DoesNotContain(_sandbox.Facts.RefreshToken, warning);
    }

    [Fact]
    public void Environment_variables_make_a_credential_that_any_store_keeps_whole()
    {
        string prefix = "SA" + Guid.NewGuid().ToString("n");
        (string Name, string? Value)[] variables =
        [
            ("_CLIENT_ID", _sandbox.Facts.ApplicationId),
            ("_TENANT_ID", _sandbox.Facts.PartnerTenantId),
            ("_CLIENT_SECRET", _sandbox.Facts.Secret),
            ("_REFRESH_TOKEN", _sandbox.Facts.RefreshToken),
            ("_USERNAME", _sandbox.Facts.UserPrincipalName),
            ("_REFRESH_TOKEN_MFA", null),
        ];
        void Set((string Name, string? Value) variable) => Environment.SetEnvironmentVariable(prefix + variable.Name, variable.Value);
        Array.ForEach(variables, Set);
        try
        {
            Outcome outcome = _engine.Run("param($prefix) $global:stored = Get-SecureAppCredential -EnvironmentVariable -Name $prefix; $stored.Store; $stored.TenantId; $stored.Mfa; " + Redeem, prefix).Succeeded();

            Assert.Equal([null, _sandbox.Facts.PartnerTenantId, null], outcome.Output.Select(item => item?.BaseObject));

            _engine.Run(SecretManagement).Succeeded();
            foreach (bool mfa in new[] { true, false })
            {
                Set(("_REFRESH_TOKEN_MFA", mfa ? "True" : "false"));
                Outcome kept = _engine.Run(
                    """
                    param($prefix)
                    $one = Get-SecureAppCredential -EnvironmentVariable -Name $prefix
                    $one.Mfa
                    Save-SecureAppCredential sam -VaultName contoso -Credential $one
                    $two = Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault
                    $two.Mfa
                    Save-SecureAppCredential sam -SecretManagementVault Local -Credential $two
                    $three = Get-SecureAppCredential sam -SecretManagementVault Local
                    $three.Mfa
                    $three.Account
                    """,
                    prefix).Succeeded();
                Assert.Equal([mfa, mfa, mfa, _sandbox.Facts.UserPrincipalName], kept.Output.Select(item => item.BaseObject));
            }

            Set(("_REFRESH_TOKEN_MFA", "perhaps"));
            ErrorRecord neither = _engine.Refused($"Get-SecureAppCredential -EnvironmentVariable -Name {prefix}");
            Assert.Contains("_REFRESH_TOKEN_MFA is neither true nor false", neither.Exception.Message);
        }
        finally
        {
            Array.ForEach(variables, variable => Set((variable.Name, null)));
        }

        ErrorRecord missing = _engine.Refused("Get-SecureAppCredential -EnvironmentVariable -Name NOTSETANYWHERE");
        Assert.Contains("NOTSETANYWHERE_CLIENT_ID is not set", missing.Exception.Message);
    }

    [Fact]
    public void A_refresh_token_near_its_end_is_warned_about_and_its_days_are_shown()
    {
        _engine.Run("$old = New-SecureAppCredential $sandbox.ApplicationId -Secret (ConvertTo-Secret $sandbox.Secret) -RefreshToken (ConvertTo-Secret $sandbox.RefreshToken) -TenantId $sandbox.PartnerTenantId -AcquiredOn ([datetimeoffset]::UtcNow.AddDays(-80)); Save-SecureAppCredential sam -VaultName contoso -Credential $old").Succeeded();

        Outcome outcome = _engine.Run("$global:stored = Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault; $stored.RefreshTokenDaysLeft").Succeeded();

        Assert.Contains("days unless it is used", Assert.Single(outcome.Warnings));
        Assert.InRange(outcome.Single<int>(), 8, 10);
        Assert.Contains("RefreshTokenDaysLeft", _engine.Render("$stored"));
        Assert.InRange((int)_engine.Run(Redeem + "; $stored.RefreshTokenDaysLeft").Succeeded().Output[^1].BaseObject, 88, 90);
    }

    [Fact]
    public void A_removed_credential_is_gone_and_its_name_can_be_used_again()
    {
        _engine.Run("Save-SecureAppCredential sam -VaultName contoso -Credential $credential; Remove-SecureAppCredential sam -VaultName contoso -VaultCredential $vault").Succeeded();

        ErrorRecord gone = _engine.Refused("Get-SecureAppCredential sam -VaultName contoso -VaultCredential $vault");

        Assert.Equal(ErrorCategory.ObjectNotFound, gone.CategoryInfo.Category);
        _engine.Run("Save-SecureAppCredential sam -VaultName contoso -Credential $credential").Succeeded();
    }

    [Theory]
    [InlineData("Save-SecureAppCredential -VaultName contoso", "has no name")]
    [InlineData("Save-SecureAppCredential sam", "No store was given")]
    [InlineData("Get-SecureAppCredential sam", "No store was given")]
    [InlineData("Get-SecureAppCredential sam -VaultName contoso -VaultCredential $undefined", "-VaultCredential was given, but is empty")]
    [InlineData("Get-SecureAppCredential sam -SecretManagementVault ''", "-SecretManagementVault is empty")]
    [InlineData("Get-SecureAppCredential sam -SecretManagementVault None", "Get-Secret was not found")]
    [InlineData("Remove-SecureAppCredential 'a b' -VaultName contoso", "cannot be a name in a key vault")]
    [InlineData("Save-SecureAppCredential sam -VaultName contoso -Credential (New-SecureAppCredential $sandbox.ApplicationId -RefreshToken (ConvertTo-Secret x))", "cannot open the vault")]
    public void Bad_input_is_refused_before_anything_is_sent(string command, string said)
    {
        _sandbox.ResetStats();

        ErrorRecord error = _engine.Refused(command);

        Assert.Contains(said, error.Exception.Message);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void WhatIf_stores_and_deletes_nothing()
    {
        _engine.Run("Save-SecureAppCredential sam -VaultName contoso -Credential $credential").Succeeded();
        _sandbox.ResetStats();

        _engine.Run("Save-SecureAppCredential sam -VaultName contoso -Credential $credential -WhatIf; Remove-SecureAppCredential sam -VaultName contoso -VaultCredential $vault -WhatIf").Succeeded();

        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }
}
