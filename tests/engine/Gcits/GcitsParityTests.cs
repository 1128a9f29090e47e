using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Gcits;

/// <summary>
/// The drop-in beside a function of a script's own that asks by a cmdlet whose failure ends its statement, as pasted ones do:
/// whatever the script around them does, both leave the same, in a script and in a module.
/// </summary>
public sealed class GcitsParityTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private const string Reference =
        """
        function Invoke-Request {
            [CmdletBinding()] param($Tenant)
            if ($Tenant -ne $unknown) { return [pscustomobject]@{ access_token = 'a token' } }
            $record = [System.Management.Automation.ErrorRecord]::new([Exception]::new('refused'), 'Reference', 'InvalidOperation', $Tenant)
            $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new('{}')
            $PSCmdlet.ThrowTerminatingError($record)
        }
        function Get-Reference($AppCredential, $tenantid, $Resource) {
            $response = Invoke-Request -Tenant $tenantid
            $found = $response.access_token
            return $found
        }
        function Show($token) { if ($null -eq $token) { 'null' } elseif ($token -is [string]) { 'token' } else { "other: $token" } }

        """;

    public static TheoryData<string, string> Scripts =>
    [
        ("a loop", "foreach ($c in $known, $unknown, $known) { $t = & $get $AppCredential $c $graph; Show $t }"),
        ("a variable", "$t = 'before'; $t = & $get $AppCredential $unknown $graph; Show $t; $?"),
        ("a try", "try { $t = & $get $AppCredential $unknown $graph; 'went on' } catch { 'caught ' + $_.ErrorDetails.Message[0] + $_.TargetObject } finally { 'finally' }"),
        ("a typed catch", "try { & $get $AppCredential $unknown $graph } catch [System.Exception] { 'typed' }"),
        ("a catch that throws on", "try { try { & $get $AppCredential $unknown $graph } catch { throw } } catch { 'outer ' + $_.TargetObject }"),
        ("a trap", "trap { 'trapped'; continue }; $t = 'before'; $t = & $get $AppCredential $unknown $graph; Show $t"),
        ("SilentlyContinue", "$ErrorActionPreference = 'SilentlyContinue'; $t = & $get $AppCredential $unknown $graph; Show $t"),
        ("Ignore", "$ErrorActionPreference = 'Ignore'; $t = & $get $AppCredential $unknown $graph; Show $t"),
        ("Stop", "$ErrorActionPreference = 'Stop'; $t = & $get $AppCredential $unknown $graph; 'went on'"),
        ("Stop in a try", "$ErrorActionPreference = 'Stop'; try { $t = & $get $AppCredential $unknown $graph } catch { 'caught' }; 'went on'"),
        ("a condition", "if (& $get $AppCredential $unknown $graph) { 'yes' } else { 'no' }"),
        ("a merged stream", "& $get $AppCredential $unknown $graph 2>&1 | ForEach-Object { if ($null -eq $_) { 'null' } else { $_.GetType().Name } }"),
        ("a discarded stream", "$t = & $get $AppCredential $unknown $graph 2>$null; Show $t"),
        ("one argument more", "Show (& $get $AppCredential $known $graph more)"),
        ("splatting", "$all = @{ Resource = $graph; tenantid = $known; AppCredential = $AppCredential }; Show (& $get @all)"),
        ("a common parameter", "try { $t = & $get $AppCredential $unknown $graph -ErrorAction Stop; 'went on' } catch { 'caught' }"),
        ("a pipeline", "$known, $unknown, $known | ForEach-Object { Show (& $get $AppCredential $_ $graph) }"),
    ];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Both_leave_the_same(string what, string script)
    {
        foreach (string place in new[] { "function Test-It($get) {\n<>\n}\n", "$null = New-Module -Name Caller -ScriptBlock {\n<>\n} | Import-Module\n" })
        {
            (string Left, int Errors, bool Ended) reference = Run(place, "Get-Reference", script);
            (string Left, int Errors, bool Ended) ours = Run(place, "Get-GCITSAccessTokenByResource", script);

            Assert.True(reference == ours, $"{what}: {reference} but {ours}");
        }
    }

    private (string Left, int Errors, bool Ended) Run(string place, string command, string script)
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);
        engine.Run(
            """
            $global:AppCredential = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }
            $global:known = $customer
            $global:unknown = '99999999-9999-9999-9999-999999999999'
            $global:graph = 'https://graph.microsoft.com'
            """).Succeeded();
        string inside = place.StartsWith("function", StringComparison.Ordinal)
            ? Reference + place.Replace("<>", script, StringComparison.Ordinal)
            : place.Replace("<>", Reference + "function Test-It($get) {\n" + script + "\n}", StringComparison.Ordinal);
        Outcome outcome = engine.Run(inside + $"Test-It {command}\n'the end'");
        return (string.Join(" | ", outcome.Output.Select(item => item?.ToString() ?? "null")), outcome.Errors.Count, outcome.Failure is not null);
    }
}
