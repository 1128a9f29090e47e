@{
    # For scripts that call the PartnerCenter module's New-PartnerAccessToken. This file lies inside of another module, where
    # nobody looks for commands: the command is there for whoever imports the file, and for nobody else.
    RootModule             = 'SecureAppModel.PartnerCenter.psm1'
    ModuleVersion          = '0.1.0'
    GUID                   = '0f6f6b3e-2f6d-4c39-8f8e-6a7b7d0c5e21'
    Author                 = 'SecureAppModel contributors'
    CompanyName            = 'SecureAppModel contributors'
    Copyright              = '(c) SecureAppModel contributors. MIT License.'
    Description            = 'New-PartnerAccessToken with the parameters and the result of the PartnerCenter module, for scripts that call it.'
    PowerShellVersion      = '5.1'
    CompatiblePSEditions   = @('Desktop', 'Core')
    RequiredModules        = @(@{ ModuleName = 'SecureAppModel'; GUID = 'c6a5c2c4-5b2f-4a3d-9d0e-7f1f5a0c9b64'; RequiredVersion = '0.1.0' })
    CmdletsToExport        = @()
    FunctionsToExport      = @('New-PartnerAccessToken')
    VariablesToExport      = @()
    AliasesToExport        = @()
}
