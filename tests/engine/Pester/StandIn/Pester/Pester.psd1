@{
    # Not Pester: see Pester.psm1. The version is what the suites require.
    RootModule        = 'Pester.psm1'
    ModuleVersion     = '5.0'
    GUID              = '5a4d1f0e-0b53-4f0b-9a57-8d1c53d0a001'
    FunctionsToExport = @('Describe', 'Context', 'It', 'BeforeAll', 'AfterAll', 'Should', 'Resolve-Path', 'Get-Content', 'Join-Path', 'Sort-Object', 'Export-Clixml')
    CmdletsToExport   = @()
    VariablesToExport = @()
    AliasesToExport   = @()
}
