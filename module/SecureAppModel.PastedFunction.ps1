# Runs where Import-Module was called, before the module is there: a function that the script brought along is visible
# only here. It would be called instead of the module's without a word.
& {
    [CmdletBinding()]
    param()

    $name = 'Get-GCITSAccessTokenByResource'
    $found = Get-Command -Name $name -CommandType Function -ErrorAction Ignore | ForEach-Object -Process { $_ }
    foreach ($function in $found) {
        if ($function.ScriptBlock -and "$($function.ScriptBlock)" -notlike '*`[SecureAppModel.Commands.*') {
            $where = if ($function.ScriptBlock.File) { " in '$($function.ScriptBlock.File)'" }
            $PSCmdlet.WriteWarning("There is already a function $name$where, which is not SecureAppModel's. A script that defines its own copy calls that one, and this module is not used there: delete the function from the script.")
            break
        }
    }
}
