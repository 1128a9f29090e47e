@{
    RootModule             = 'SecureAppModel.dll'
    ModuleVersion          = '0.1.0'
    GUID                   = 'c6a5c2c4-5b2f-4a3d-9d0e-7f1f5a0c9b64'
    Author                 = 'SecureAppModel contributors'
    CompanyName            = 'SecureAppModel contributors'
    Copyright              = '(c) SecureAppModel contributors. MIT License.'
    Description            = 'Tokens, customers and audit logs for Microsoft partners: one stored refresh token, every customer tenant, no dependency that could conflict with another module.'
    PowerShellVersion      = '5.1'
    CompatiblePSEditions   = @('Desktop', 'Core')
    DotNetFrameworkVersion = '4.7.2'
    FormatsToProcess       = @('SecureAppModel.Format.ps1xml')
    TypesToProcess         = @('SecureAppModel.Types.ps1xml')

    # Warns about a pasted copy of the function that Compatibility.psm1 replaces.
    ScriptsToProcess       = @('SecureAppModel.PastedFunction.ps1')
    NestedModules          = @('Compatibility.psm1')

    CmdletsToExport        = @(
        'Add-SecureAppEnvironment'
        'Clear-SecureAppDefault'
        'Clear-SecureAppTokenCache'
        'Connect-DelegatedTenant'
        'ConvertFrom-SecureAppAccessToken'
        'Disable-SecureAppAuditSubscription'
        'Disconnect-DelegatedTenant'
        'Enable-SecureAppAuditSubscription'
        'Export-SecureAppAuditLog'
        'Get-DelegatedTenant'
        'Get-DelegatedTenantSecureScore'
        'Get-DelegatedTenantSecurityAlert'
        'Get-DelegatedTenantSecuritySummary'
        'Get-SecureApp'
        'Get-SecureAppAccessToken'
        'Get-SecureAppAuditLog'
        'Get-SecureAppAuditSubscription'
        'Get-SecureAppConsent'
        'Get-SecureAppCredential'
        'Get-SecureAppDefault'
        'Get-SecureAppEnvironment'
        'Get-SecureAppKeyVaultCertificate'
        'Get-SecureAppKeyVaultSecret'
        'Get-SecureAppTokenCache'
        'Grant-SecureAppConsent'
        'Invoke-DelegatedTenantCommand'
        'Invoke-SecureAppExchangeCommand'
        'Invoke-SecureAppRequest'
        'New-SecureApp'
        'New-SecureAppCertificate'
        'New-SecureAppCredential'
        'New-SecureAppRefreshToken'
        'Remove-SecureApp'
        'Remove-SecureAppCredential'
        'Remove-SecureAppEnvironment'
        'Resolve-SecureAppObjectId'
        'Revoke-SecureAppConsent'
        'Save-SecureAppCredential'
        'Search-SecureAppUnifiedAuditLog'
        'Send-SecureAppMailMessage'
        'Set-SecureApp'
        'Set-SecureAppDefault'
        'Set-SecureAppKeyVaultSecret'
        'Start-SecureAppSandbox'
        'Stop-SecureAppSandbox'
        'Test-SecureAppAuditExport'
        'Test-SecureAppCredential'
        'Update-SecureAppCredential'
        'Watch-SecureAppAuditLog'
    )

    FunctionsToExport      = @(
        'Get-GCITSAccessTokenByResource'
    )

    VariablesToExport      = @()
    AliasesToExport        = @()

    PrivateData            = @{
        PSData = @{
            Tags         = @('Microsoft365', 'Partner', 'CSP', 'GDAP', 'SecureApplicationModel', 'AccessToken', 'AuditLog', 'Entra', 'PSEdition_Desktop', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
