#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.0' }
# For whoever has a whole pwsh: the staged module beside the cmdlets that every session has.

BeforeAll {
    $root = (Resolve-Path "$PSScriptRoot/../..").Path
    $version = [regex]::Match((Get-Content "$root/Cargo.toml" -Raw), '(?m)^\[workspace\.package\][^\[]*?^version = "([^"]+)"').Groups[1].Value
    $script:manifest = "$root/out/SecureAppModel/$version/SecureAppModel.psd1"
    Import-Module $script:manifest -Force -ErrorAction Stop
}

Describe 'The manifest' {
    It 'is one that the Gallery accepts' {
        Test-ModuleManifest -Path $script:manifest -ErrorAction Stop | Should -Not -BeNullOrEmpty
    }

    It 'has help for <_>' -ForEach @('Get-SecureAppAccessToken', 'Get-DelegatedTenant', 'Export-SecureAppAuditLog') {
        (Get-Help $_ -Full).Description | Should -Not -BeNullOrEmpty
    }
}

Describe 'A session against the sandbox' {
    BeforeAll {
        $script:sandbox = Start-SecureAppSandbox -TenantCount 3 -AuditRecordCount 60
        Set-SecureAppDefault -Credential $script:sandbox.Credential -Environment $script:sandbox.Environment
    }

    AfterAll {
        Clear-SecureAppDefault
        Stop-SecureAppSandbox $script:sandbox
    }

    It 'lists every customer' {
        @(Get-DelegatedTenant).TenantId | Sort-Object | Should -Be ($script:sandbox.Tenants.TenantId | Sort-Object)
    }

    It 'gives no token away to Export-Clixml' {
        $token = Get-SecureAppAccessToken -TenantId $script:sandbox.Tenants[0].TenantId -Resource 'https://graph.microsoft.com'
        $bare = '{0}' -f $token
        $file = Join-Path $TestDrive 'token.xml'
        $token | Export-Clixml -Path $file

        $bare | Should -Match '^ey'
        Get-Content $file -Raw | Should -Not -Match ([regex]::Escape($bare))
    }

    It 'gives no token away to the table and the list' {
        $token = Get-SecureAppAccessToken -TenantId $script:sandbox.Tenants[0].TenantId -Resource 'https://graph.microsoft.com'
        $start = ('{0}' -f $token).Substring(0, 20)

        $token | Out-String -Width 5000 | Should -Not -Match $start
        $token | Format-List | Out-String -Width 5000 | Should -Not -Match $start
    }

    It 'shares its credential with parallel runspaces' -Skip:($PSVersionTable.PSVersion.Major -lt 7) {
        $credential = $script:sandbox.Credential
        $environment = $script:sandbox.Environment
        $manifest = $script:manifest
        $found = $script:sandbox.Tenants.TenantId | ForEach-Object -ThrottleLimit 3 -Parallel {
            Import-Module $using:manifest
            Get-SecureAppAccessToken -TenantId $_ -Resource 'https://graph.microsoft.com' -Credential $using:credential -Environment $using:environment
        }
        $found.TenantId | Sort-Object | Should -Be ($script:sandbox.Tenants.TenantId | Sort-Object)
    }

    It 'stops with the first object that Select-Object wants' {
        $script:sandbox.Tenants.TenantId | Get-SecureAppAccessToken -Resource 'https://graph.microsoft.com' |
            Select-Object -First 1 | Should -HaveCount 1
    }

    It 'writes an audit log that Import-Csv reads' {
        $path = Join-Path $TestDrive 'audit'
        $export = Export-SecureAppAuditLog -TenantId $script:sandbox.Tenants[0].TenantId -Path $path -Format Csv -StartTime (Get-Date).AddDays(-6.9)
        $rows = Get-ChildItem $path -Recurse -Filter 'part-*.csv' | ForEach-Object { Import-Csv $_.FullName }
        @($rows).Count | Should -Be $export.Records
        @($rows)[0].AuditData | ConvertFrom-Json | Should -Not -BeNullOrEmpty
    }
}
