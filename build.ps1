#Requires -Version 7.2
<#
.SYNOPSIS
    The tasks of this repository for people who live in PowerShell.

.DESCRIPTION
    Each task calls the same command that the README names; no logic is repeated here.

      Build    dotnet build: the native library, the assembly, the importable folder out/SecureAppModel/<version>
      Test     dotnet test: every test
      Demo     dotnet run --project demo
      Package  a Gallery-ready folder and a .nupkg in out/package
      Clean    removes what the other tasks made, the chosen source of the crates included

    Only native commands, .NET and the cmdlets of Microsoft.PowerShell.Core are used, so that a test can run each task in a
    hosted engine.

.PARAMETER Task
    What to do, in this order.

.PARAMETER Configuration
    The configuration. The native library is always optimized; in Release all of its crates are optimized as one, which takes minutes longer.

.PARAMETER NativePath
    Package only: folders with the native files of other platforms, each named by its runtime identifier (win-x64, osx-arm64 ..)
    as the build of that platform staged it.

.EXAMPLE
    ./build.ps1 Build, Test

.EXAMPLE
    ./build.ps1 Package -NativePath ~/artifacts/win-x64, ~/artifacts/osx-arm64
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Demo', 'Package', 'Clean')]
    [string[]] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    [string[]] $NativePath = @()
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot

function Get-ProductVersion {
    $cargo = [System.IO.File]::ReadAllText([System.IO.Path]::Combine($root, 'Cargo.toml'))
    $found = [regex]::Match($cargo, '(?m)^\[workspace\.package\][^\[]*?^version = "([^"]+)"')
    if (-not $found.Success) { throw 'Cargo.toml has no version under [workspace.package].' }
    $found.Groups[1].Value
}

# A native command that fails ends the task with its exit code in the message.
function Invoke-Native([string] $Command, [string[]] $Arguments) {
    & $Command @Arguments
    if ($LASTEXITCODE -ne 0) {
        throw "'$Command $($Arguments -join ' ')' failed with exit code $LASTEXITCODE; its own message stands above."
    }
}

# A native command starts in the session's location; without Set-Location the path intrinsics change it.
function Invoke-Dotnet([string[]] $Arguments) {
    $path = $ExecutionContext.SessionState.Path
    $path.PushCurrentLocation('build')
    try {
        $null = $path.SetLocation([WildcardPattern]::Escape($root))
        Invoke-Native -Command 'dotnet' -Arguments $Arguments
    }
    finally { $null = $path.PopLocation('build') }
}

function Invoke-Build { Invoke-Dotnet -Arguments @('build', '--configuration', $Configuration) }

function Invoke-Test { Invoke-Dotnet -Arguments @('test', '--configuration', $Configuration) }

function Invoke-Demo { Invoke-Dotnet -Arguments @('run', '--project', 'demo', '--configuration', $Configuration) }

function Copy-Tree([string] $From, [string] $To) {
    $null = [System.IO.Directory]::CreateDirectory($To)
    foreach ($file in [System.IO.Directory]::EnumerateFiles($From, '*', 'AllDirectories')) {
        $target = [System.IO.Path]::Combine($To, [System.IO.Path]::GetRelativePath($From, $file))
        $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($target))
        [System.IO.File]::Copy($file, $target, $true)
    }
}

# The archive format keeps no execute bit that installers honour: the module's loader restores it on first use.
function Write-Nupkg([string] $Folder, [string] $Version, [string] $Target) {
    $utf8 = [System.Text.UTF8Encoding]::new($false)
    $manifest = [System.Management.Automation.Language.Parser]::ParseFile(
        [System.IO.Path]::Combine($Folder, 'SecureAppModel.psd1'), [ref] $null, [ref] $null)
    $facts = $manifest.Find({ $args[0] -is [System.Management.Automation.Language.HashtableAst] }, $false).SafeGetValue()
    $escape = { [System.Security.SecurityElement]::Escape([string] $args[0]) }
    $tags = @('PSModule', 'PSEdition_Desktop', 'PSEdition_Core') + @($facts.PrivateData.PSData.Tags) +
        @($facts.CmdletsToExport | & { process { "PSCmdlet_$_", "PSCommand_$_" } }) +
        @($facts.FunctionsToExport | & { process { "PSFunction_$_", "PSCommand_$_" } })
    $nuspec = @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd">
  <metadata>
    <id>SecureAppModel</id>
    <version>$(& $escape $Version)</version>
    <authors>$(& $escape $facts.Author)</authors>
    <owners>$(& $escape $facts.CompanyName)</owners>
    <license type="expression">MIT</license>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <description>$(& $escape $facts.Description)</description>
    <copyright>$(& $escape $facts.Copyright)</copyright>
    <tags>$(& $escape ($tags -join ' '))</tags>
  </metadata>
</package>
"@
    $relationships = @'
<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/SecureAppModel.nuspec" Id="manifest" />
</Relationships>
'@
    $files = @([System.IO.Directory]::EnumerateFiles($Folder, '*', 'AllDirectories'))
    [array]::Sort($files, [System.StringComparer]::Ordinal)
    $types = [System.Collections.Generic.SortedDictionary[string, string]]::new([System.StringComparer]::Ordinal)
    $overrides = ''
    foreach ($file in $files) {
        $extension = [System.IO.Path]::GetExtension($file).TrimStart('.')
        if ($extension) { $types[$extension] = 'application/octet'; continue }
        $part = [System.IO.Path]::GetRelativePath($Folder, $file).Replace('\', '/')
        $overrides += "`n  <Override PartName=`"/$(& $escape $part)`" ContentType=`"application/octet`" />"
    }
    $types['nuspec'] = 'application/octet'
    $types['rels'] = 'application/vnd.openxmlformats-package.relationships+xml'
    $defaults = foreach ($extension in $types.Keys) { "`n  <Default Extension=`"$extension`" ContentType=`"$($types[$extension])`" />" }
    $content = '<?xml version="1.0" encoding="utf-8"?>' +
        "`n<Types xmlns=`"http://schemas.openxmlformats.org/package/2006/content-types`">$($defaults -join '')$overrides`n</Types>`n"

    [System.IO.File]::Delete($Target)
    $archive = [System.IO.Compression.ZipFile]::Open($Target, 'Create')
    try {
        $parts = [ordered] @{ '[Content_Types].xml' = $content; '_rels/.rels' = $relationships; 'SecureAppModel.nuspec' = $nuspec }
        foreach ($name in $parts.Keys) {
            $stream = $archive.CreateEntry($name).Open()
            try { $stream.Write($utf8.GetBytes($parts[$name])) } finally { $stream.Dispose() }
        }
        foreach ($file in $files) {
            $name = [System.IO.Path]::GetRelativePath($Folder, $file).Replace('\', '/')
            $null = [System.IO.Compression.ZipFileExtensions]::CreateEntryFromFile($archive, $file, $name)
        }
    }
    finally { $archive.Dispose() }
}

function Invoke-Package {
    Invoke-Build
    $version = Get-ProductVersion
    $staged = [System.IO.Path]::Combine($root, 'out', 'SecureAppModel', $version)
    $package = [System.IO.Path]::Combine($root, 'out', 'package')
    $folder = [System.IO.Path]::Combine($package, 'SecureAppModel', $version)
    if ([System.IO.Directory]::Exists($package)) { [System.IO.Directory]::Delete($package, $true) }
    Copy-Tree -From $staged -To $folder
    foreach ($path in $NativePath) {
        $source = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($path)
        $rid = [System.IO.Path]::GetFileName($source.TrimEnd('/', '\'))
        if ($rid -notmatch '^(win|linux|linux-musl|osx)-(x64|arm64)$') {
            throw "'$path' is not named by a runtime identifier such as win-x64; give the folder that the build of that platform staged."
        }
        Copy-Tree -From $source -To ([System.IO.Path]::Combine($folder, $rid))
    }
    $archive = [System.IO.Path]::Combine($package, "SecureAppModel.$version.nupkg")
    Write-Nupkg -Folder $folder -Version $version -Target $archive
    $folder
    $archive
}

function Invoke-Clean {
    foreach ($name in 'out', 'target', '.crates', 'TestResults') { Remove-Tree ([System.IO.Path]::Combine($root, $name)) }
    # A cargo configuration of the user's own stays.
    $config = [System.IO.Path]::Combine($root, '.cargo', 'config.toml')
    if ([System.IO.File]::Exists($config) -and [System.IO.File]::ReadAllText($config).StartsWith('# Generated by build/bootstrap.sh')) {
        Remove-Tree ([System.IO.Path]::GetDirectoryName($config))
    }
    foreach ($project in [System.IO.Directory]::EnumerateFiles($root, '*.csproj', 'AllDirectories')) {
        foreach ($name in 'bin', 'obj') {
            Remove-Tree ([System.IO.Path]::Combine([System.IO.Path]::GetDirectoryName($project), $name))
        }
    }
}

function Remove-Tree([string] $Path) {
    if ([System.IO.Directory]::Exists($Path)) { [System.IO.Directory]::Delete($Path, $true) }
}

foreach ($name in $Task) { & "Invoke-$name" }
