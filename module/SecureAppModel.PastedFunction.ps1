# Runs where Import-Module was called, before the module is there: a function that the script brought along is visible
# only here. It would be called instead of the module's without a word.
& {
    [CmdletBinding()]
    param()

    # By its drive: Get-Command would look through all modules on the machine for what is mostly not there, for each runspace anew.
    $function = ${function:Get-GCITSAccessTokenByResource}
    if ($function -and "$function" -notlike '*`[SecureAppModel.Commands.*') {
        $where = if ($function.File) { " in '$($function.File)'" }
        $PSCmdlet.WriteWarning("There is already a function Get-GCITSAccessTokenByResource$where, which is not SecureAppModel's. A script that defines its own copy calls that one, and this module is not used there: delete the function from the script.")
    }
}
