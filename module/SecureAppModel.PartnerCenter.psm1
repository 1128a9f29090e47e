# New-PartnerAccessToken as the PartnerCenter module has it: the parameter sets of its version 3, save that a credential names
# the application where -ApplicationId does not, and one set for version 1, which asked by -Resource. -ResponseUrl is ours.

# By its type, so that no command of the same name comes in between. No module exports it.
$command = [System.Management.Automation.CmdletInfo]::new(
    'New-PartnerAccessToken', [SecureAppModel.Commands.NewPartnerAccessTokenCommand])

# .EXTERNALHELP SecureAppModel.dll-Help.xml
function New-PartnerAccessToken {
    [CmdletBinding(DefaultParameterSetName = 'Resource', PositionalBinding = $false)]
    [OutputType([SecureAppModel.PartnerAccessToken])]
    param(
        [Parameter(ParameterSetName = 'AccessToken', Mandatory)]
        [SecureAppModel.Commands.SecretTextTransformation()]
        [string] $AccessToken,

        [Parameter(ParameterSetName = 'AccessToken', Mandatory)]
        [Parameter(ParameterSetName = 'RefreshToken')]
        [Parameter(ParameterSetName = 'ServicePrincipal')]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)]
        [Parameter(ParameterSetName = 'User', Mandatory)]
        [Parameter(ParameterSetName = 'Resource')]
        [Alias('ClientId')]
        [string] $ApplicationId,

        [Parameter(ParameterSetName = 'RefreshToken')]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)]
        [string] $CertificateThumbprint,

        [Parameter(ParameterSetName = 'Resource')]
        [switch] $Consent,

        [Parameter(ParameterSetName = 'AccessToken')]
        [Parameter(ParameterSetName = 'RefreshToken')]
        [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)]
        [Parameter(ParameterSetName = 'Resource')]
        [SecureAppModel.Commands.ApplicationCredentialTransformation(Otherwise = '')]
        [pscredential] $Credential,

        [Parameter()]
        [Alias('EnvironmentName')]
        [ArgumentCompleter([SecureAppModel.Completion.EnvironmentCompleter])]
        [string] $Environment,

        [Parameter(ParameterSetName = 'ByModule', Mandatory)]
        [Parameter(ParameterSetName = 'RefreshToken')]
        [Alias('ModuleName')]
        [ValidateSet('ExchangeOnline')]
        [string] $Module,

        [Parameter(ParameterSetName = 'ByModule')]
        [Parameter(ParameterSetName = 'RefreshToken', Mandatory)]
        [Parameter(ParameterSetName = 'Resource')]
        [SecureAppModel.Commands.SecretTextTransformation()]
        [string] $RefreshToken,

        [Parameter(ParameterSetName = 'Resource')]
        [ArgumentCompleter([SecureAppModel.Completion.ResourceCompleter])]
        [string] $Resource,

        [Parameter(ParameterSetName = 'ServicePrincipal')]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate')]
        [Parameter(ParameterSetName = 'User')]
        [Parameter(ParameterSetName = 'ByModule')]
        [Parameter(ParameterSetName = 'Resource')]
        [object] $ResponseUrl,

        [Parameter(ParameterSetName = 'AccessToken', Mandatory)]
        [Parameter(ParameterSetName = 'RefreshToken', Mandatory)]
        [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)]
        [Parameter(ParameterSetName = 'User', Mandatory)]
        [string[]] $Scopes,

        [Parameter(ParameterSetName = 'RefreshToken')]
        [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate')]
        [Parameter(ParameterSetName = 'Resource')]
        [switch] $ServicePrincipal,

        [Parameter(ParameterSetName = 'AccessToken')]
        [Parameter(ParameterSetName = 'ByModule')]
        [Parameter(ParameterSetName = 'RefreshToken')]
        [Parameter(ParameterSetName = 'Resource')]
        [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)]
        [Parameter(ParameterSetName = 'User')]
        [Alias('Domain', 'TenantId')]
        [ArgumentCompleter([SecureAppModel.Completion.TenantCompleter])]
        [string] $Tenant,

        [Parameter(ParameterSetName = 'ByModule')]
        [Parameter(ParameterSetName = 'ServicePrincipal')]
        [Parameter(ParameterSetName = 'ServicePrincipalCertificate')]
        [Parameter(ParameterSetName = 'User')]
        [Alias('AuthCode')]
        [switch] $UseAuthorizationCode,

        [Parameter(ParameterSetName = 'User')]
        [Alias('DeviceCode', 'DeviceAuth', 'Device')]
        [switch] $UseDeviceAuthentication
    )

    process {
        # Its errors are this function's, so that the caller's $ErrorActionPreference counts.
        try { & $script:command @PSBoundParameters }
        catch { $PSCmdlet.ThrowTerminatingError($_) }
    }
}

# Says which command is called where there is another of the name already. Looks at what is loaded, and loads nothing.
& {
    [CmdletBinding()]
    param()

    foreach ($other in Get-Command -Name New-PartnerAccessToken -All -ListImported -ErrorAction Ignore) {
        if ($other.Source -and $other.Source -ne 'SecureAppModel.PartnerCenter') {
            $PSCmdlet.WriteWarning("New-PartnerAccessToken is SecureAppModel's from now on. $($other.Source)\New-PartnerAccessToken still calls the other, and Remove-Module SecureAppModel.PartnerCenter gives it the name back.")
        }
    }
}

Export-ModuleMember -Function New-PartnerAccessToken
