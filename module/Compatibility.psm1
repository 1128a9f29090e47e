# Get-GCITSAccessTokenByResource: the drop-in for scripts that carried a function of this name in their own text.
#
# It fails as a pasted function does. Its error ends the statement in it that raises it and no more, so `$t = Get-..`
# leaves $t empty and never with the customer before; try/catch sees the error; and the $ErrorActionPreference that counts
# is the one of the code that calls it. For that the function must run where its caller is, and not inside this module,
# whose functions do not see a caller's variables. A script block that is made from text belongs to no module.
$body = {
    <#
    .SYNOPSIS
    Gets an access token for one resource of one tenant, as the function of this name that scripts carried in their own text did.

    .DESCRIPTION
    Redeems the refresh token of the credential, or asks as the application where it has none, at the v1 endpoint. The output is the
    bare token. Its errors are those of a pasted function: the statement ends, the variable is left empty, and the service's
    answer is in the error's details. New scripts use Get-SecureAppAccessToken, which takes many tenants and resources at once.

    .PARAMETER AppCredential
    The application: a hashtable or object with appId, secret and refreshToken, a PSCredential, or a SecureAppCredential.

    .PARAMETER tenantid
    The tenant, a GUID or a verified domain.

    .PARAMETER Resource
    The resource, for example https://graph.microsoft.com or https://graph.windows.net.

    .EXAMPLE
    $token = Get-GCITSAccessTokenByResource -AppCredential $credential -tenantid $customer.TenantId -Resource 'https://graph.microsoft.com'

    .OUTPUTS
    System.String
    #>
    param($AppCredential, $tenantid, $Resource)

    # Only what was given is passed on: an empty variable is an error here, not a silent default.
    $asked = @{ AsPlainText = $true; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
    if ($PSBoundParameters.ContainsKey('AppCredential')) { $asked.Credential = $AppCredential }
    if ($PSBoundParameters.ContainsKey('tenantid')) { $asked.TenantId = $tenantid }
    if ($PSBoundParameters.ContainsKey('Resource')) { $asked.Resource = $Resource }

    # By its type, so that neither a prefix nor a command of the same name comes in between.
    $command = [System.Management.Automation.CmdletInfo]::new(
        'Get-SecureAppAccessToken', [SecureAppModel.Commands.GetSecureAppAccessTokenCommand])
    $token = $record = $failure = $null
    try {
        $token = & $command @asked
        if ($failure) { $record = $failure[0] }
    }
    catch {
        # A refusal of the parameters, which ends the command. It is recorded below, as the caller's.
        $record = $_
        if ($Error.Count -and $Error[0].Exception -eq $record.Exception) { $Error.RemoveAt(0) }
    }

    if ($record) {
        # What Invoke-RestMethod would have said: the service's own answer.
        if ($record.Exception -is [SecureAppModel.SecureAppException] -and $record.Exception.ServiceResponse) {
            $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new($record.Exception.ServiceResponse)
        }

        # Shown at the line that called, in the customer's script, and not at one of these.
        $line = $MyInvocation.Line
        if ($line -and $record.InvocationInfo) {
            $ends = foreach ($column in $MyInvocation.OffsetInLine, ($line.TrimEnd().Length + 1)) {
                [System.Management.Automation.Language.ScriptPosition]::new($MyInvocation.ScriptName, $MyInvocation.ScriptLineNumber, $column, $line)
            }

            $record.InvocationInfo.DisplayScriptPosition = [System.Management.Automation.Language.ScriptExtent]::new($ends[0], $ends[1])
        }

        function Get-GCITSAccessTokenByResource {
            [CmdletBinding()]
            param($Record)
            $PSCmdlet.ThrowTerminatingError($Record)
        }

        Get-GCITSAccessTokenByResource $record
    }

    # Exactly $null where there is none, as a property of nothing gives.
    if ($token) { return $token }
    return $null
}

# By conversion: a call of ToString here would have PowerShell keep all types of each runspace that ever imported this.
${function:Get-GCITSAccessTokenByResource} = [scriptblock]::Create($body)
Export-ModuleMember -Function Get-GCITSAccessTokenByResource

# The manifest's script has done its work; PowerShell would list it as a module of its own.
Remove-Module -Name SecureAppModel.PastedFunction -ErrorAction Ignore
