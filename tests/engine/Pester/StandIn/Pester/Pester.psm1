# Not Pester, but as much of its words as tests/pester uses, and a few commands that the hosted engine lacks, so that the
# suites' bodies are run wherever the tests are. A body that needs a command which is not there is skipped by name. Each
# outcome is a line: PASS, FAIL or SKIP, and the test's name.
$after = [System.Collections.Generic.Stack[scriptblock]]::new()

function BeforeAll([scriptblock] $Body) { $null = & $Body }

function AfterAll([scriptblock] $Body) { $after.Push($Body) }

function Describe([string] $Name, [scriptblock] $Body) {
    $depth = $after.Count
    try { & $Body } finally {
        while ($after.Count -gt $depth) { $null = & $after.Pop() }
    }
}

function Context([string] $Name, [scriptblock] $Body) { Describe $Name $Body }

function It([string] $Name, [scriptblock] $Body, [object[]] $ForEach = @($null), [switch] $Skip) {
    $lacking = foreach ($command in $Body.Ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
        $called = $command.GetCommandName()
        if ($called -and -not (Get-Command $called -ErrorAction Ignore)) { $called }
    }
    foreach ($item in $ForEach) {
        $title = $Name.Replace('<_>', [string] $item)
        if ($Skip) { "SKIP $title (by itself)"; continue }
        if ($lacking) { "SKIP $title (there is no $(@($lacking)[0]) here)"; continue }
        try {
            $null = $Body.InvokeWithContext($null, [psvariable]::new('_', $item))
            "PASS $title"
        }
        catch { "FAIL $title`: $($_.Exception.InnerException ?? $_.Exception)" }
    }
}

function Should([switch] $Not, [switch] $BeNullOrEmpty, [object] $Be, [string] $Match, [int] $HaveCount, [Parameter(ValueFromPipeline)] [object] $Actual) {
    begin { $all = [System.Collections.Generic.List[object]]::new() }
    process { $all.Add($Actual) }
    end {
        $text = $all -join ','
        $said, $is = switch ($PSBoundParameters.Keys) {
            'Be' { "be '$(@($Be) -join ',')'"; $text -eq (@($Be) -join ',') -and $all.Count -eq @($Be).Count }
            'Match' { "match '$Match'"; $text -match $Match }
            'HaveCount' { "have $HaveCount"; $all.Count -eq $HaveCount }
            'BeNullOrEmpty' { 'be empty'; $all.Count -eq 0 -or ($all.Count -eq 1 -and ($null -eq $all[0] -or $all[0] -is [string] -and $text -eq '')) }
        }
        if ($null -eq $said) { throw 'Should was asked for something that this stand-in does not know.' }
        if ($is -eq [bool] $Not) { throw "'$text' should $(if ($Not) { 'not ' })$said." }
    }
}

function Resolve-Path([string] $Path) { [pscustomobject]@{ Path = [System.IO.Path]::GetFullPath($Path) } }

function Join-Path([string] $Path, [string] $ChildPath) { [System.IO.Path]::Combine($Path, $ChildPath) }

function Get-Content([string] $Path, [switch] $Raw) {
    if ($Raw) { [System.IO.File]::ReadAllText($Path) } else { [System.IO.File]::ReadAllLines($Path) }
}

function Sort-Object {
    $all = [object[]] @($input)
    [array]::Sort($all)
    $all
}

function Export-Clixml([string] $Path, [Parameter(ValueFromPipeline)] [object] $InputObject) {
    process { [System.IO.File]::WriteAllText($Path, [System.Management.Automation.PSSerializer]::Serialize($InputObject)) }
}
