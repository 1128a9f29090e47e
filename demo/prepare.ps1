<#
    Makes the session one that demo.ps1 could meet at a partner's desk: a fake customer estate takes the cloud's place, and
    a function takes the place of Microsoft.Graph's Connect-MgGraph, which this engine does not have installed.
#>
param([string] $Module, [int] $TenantCount, [int] $AuditRecordCount)

$ErrorActionPreference = 'Stop'
Import-Module -Name $Module
$sandbox = Start-SecureAppSandbox -TenantCount $TenantCount -AuditRecordCount $AuditRecordCount
Set-SecureAppDefault -Credential $sandbox.Credential -Environment $sandbox.Environment

function Connect-MgGraph {
    param([securestring] $AccessToken, [switch] $NoWelcome)
    if ($null -eq $AccessToken -or $AccessToken.Length -eq 0) { throw 'Connect-MgGraph was called without a token.' }
    $Host.UI.WriteLine("   Connect-MgGraph here is a stand-in (Microsoft.Graph is not installed); it got a token of $($AccessToken.Length) characters.")
}
