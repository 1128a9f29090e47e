<#
    What a partner runs: list the customers, get tokens for each, connect to one, export everybody's audit log.

    Nothing in here knows that the cloud behind it is a sandbox: the credential and the environment are this session's
    defaults, as Set-SecureAppDefault sets them.
#>
param(
    # The folder for the audit log.
    [Parameter(Mandatory)]
    [string] $Path,

    # The feed keeps seven days.
    [datetime] $StartTime = [datetime]::UtcNow.AddDays(-7).AddMinutes(10),

    [datetime] $EndTime = [datetime]::UtcNow.AddMinutes(-10)
)

$ErrorActionPreference = 'Stop'

'1. The customers that this partner manages'
$customers = @(Get-DelegatedTenant)
$customers[0..4] | Out-Default
"   .. and $($customers.Count - 5) more"

''
'2. Two tokens for each of them, from one refresh token'
$started = [datetime]::UtcNow
$tokens = @($customers | Get-SecureAppAccessToken -Resource 'https://graph.microsoft.com', 'https://manage.office.com')
$tokens[0..3] | Out-Default
'   .. and {0} more; all {1} in {2:n1} s' -f ($tokens.Count - 4), $tokens.Count, ([datetime]::UtcNow - $started).TotalSeconds

''
'3. A connection to the first customer'
Connect-DelegatedTenant -TenantId $customers[0].TenantId -Service Graph | Out-Default

'4. Every customer''s audit log'
$exports = @($customers | Export-SecureAppAuditLog -StartTime $StartTime -EndTime $EndTime -Path $Path)
$exports | Out-Default
