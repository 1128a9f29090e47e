using System.Management.Automation;
using System.Text.Json;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Gcits;

/// <summary>A failure of the drop-in is the pasted function's: what goes on, what is caught, and what the error holds.</summary>
public sealed class GcitsFailureTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private const string Unknown = "99999999-9999-9999-9999-999999999999";

    private const string Credential =
        """
        $AppCredential = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }
        $unknown = '99999999-9999-9999-9999-999999999999'
        $graph = 'https://graph.microsoft.com'

        """;

    private readonly Sandbox _sandbox = shared.Sandbox;

    [Fact]
    public void A_failing_customer_in_a_loop_never_gets_the_last_ones_token()
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        engine.Set("customers", new[] { _sandbox.Facts.Tenants[0].TenantId, Unknown, _sandbox.Facts.Tenants[1].TenantId });

        Outcome outcome = engine.Run(
            Credential +
            """
            foreach ($customer in $customers) {
                $token = Get-GCITSAccessTokenByResource -AppCredential $AppCredential -tenantid $customer -Resource $graph
                [pscustomobject]@{ Customer = $customer; Token = $token }
            }
            """);

        Assert.Null(outcome.Failure);
        Assert.Equal(3, outcome.Output.Count);
        Assert.Null(outcome.Output[1].Properties["Token"].Value);
        foreach (int served in new[] { 0, 2 })
        {
            Jwt.ForAudience(
                "https://graph.microsoft.com",
                (string)outcome.Output[served].Properties["Customer"].Value,
                outcome.Output[served].Properties["Token"].Value);
        }

        Assert.Equal(Unknown, Assert.Single(outcome.Errors).TargetObject);
    }

    [Fact]
    public void The_services_own_JSON_is_in_ErrorDetails()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Credential + "try { Get-GCITSAccessTokenByResource $AppCredential $unknown $graph } catch { $_ }").Succeeded();

        var caught = outcome.Single<ErrorRecord>();
        using JsonDocument answer = JsonDocument.Parse(caught.ErrorDetails.Message);
        Assert.Equal(90002, answer.RootElement.GetProperty("error_codes")[0].GetInt32());
        Assert.Contains("no such tenant", caught.Exception.Message);
    }

    [Fact]
    public void An_error_is_recorded_once()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Credential + "$Error.Clear(); $t = Get-GCITSAccessTokenByResource $AppCredential $unknown $graph; $Error.Count");

        Assert.Equal(1, outcome.Single<int>());
    }

    [Fact]
    public void SilentlyContinue_of_the_caller_is_silent()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Credential +
            """
            function Get-It {
                $ErrorActionPreference = 'SilentlyContinue'
                $t = 'the customer before'
                $t = Get-GCITSAccessTokenByResource $AppCredential $unknown $graph
                $null -eq $t
            }
            Get-It
            """).Succeeded();

        Assert.True(outcome.Single<bool>());
    }

    [Fact]
    public void Stop_of_the_caller_ends_the_script()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Credential +
            """
            function Get-It {
                $ErrorActionPreference = 'Stop'
                $t = Get-GCITSAccessTokenByResource $AppCredential $unknown $graph
                'went on'
            }
            Get-It
            'went on as well'
            """);

        Assert.Empty(outcome.Output);
        Assert.Equal(Unknown, outcome.FailureRecord?.TargetObject);
    }

    [Fact]
    public void The_preference_of_another_modules_function_counts_for_it()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Credential +
            """
            $null = New-Module -Name Helper -ScriptBlock {
                function Get-It($AppCredential, $unknown, $graph) {
                    $ErrorActionPreference = 'Stop'
                    $t = Get-GCITSAccessTokenByResource $AppCredential $unknown $graph
                    'went on'
                }
            } | Import-Module
            try { Get-It $AppCredential $unknown $graph } catch { 'caught' }
            """).Succeeded();

        Assert.Equal("caught", outcome.Single<string>());
    }

    [Fact]
    public void Try_and_catch_see_the_error_whatever_the_preference()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Credential +
            """
            foreach ($preference in 'Continue', 'SilentlyContinue', 'Stop') {
                $ErrorActionPreference = $preference
                try { $t = Get-GCITSAccessTokenByResource $AppCredential $unknown $graph; 'went on' } catch { "caught $($_.TargetObject)" }
            }
            """).Succeeded();

        Assert.Equal(Enumerable.Repeat($"caught {Unknown}", 3), outcome.Output.Select(item => item.ToString()));
    }

    /// <summary>From the service, and before it is asked; caught, written and recorded.</summary>
    [Theory]
    [InlineData("$unknown")]
    [InlineData("'not a tenant'")]
    public void An_error_points_to_the_line_that_called(string tenant)
    {
        string script = Path.Combine(Directory.CreateTempSubdirectory("secureapp-").FullName, "customers.ps1");
        File.WriteAllText(
            script,
            Credential +
            $$"""
            Set-StrictMode -Version Latest
            $Error.Clear()
            $t = Get-GCITSAccessTokenByResource $AppCredential {{tenant}} $graph # line 6
            $Error[0]
            $Error.Count
            try { $t = Get-GCITSAccessTokenByResource $AppCredential {{tenant}} $graph } catch { $_ } # line 9
            """);
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run("param($script) . $script", script);
        Directory.Delete(Path.GetDirectoryName(script)!, recursive: true);

        ErrorRecord written = Assert.Single(outcome.Errors);
        Assert.Equal(1, outcome.Output[1].BaseObject);
        foreach ((ErrorRecord error, int line, int column) in new[]
        {
            (written, 6, 6), ((ErrorRecord)outcome.Output[0].BaseObject, 6, 6), ((ErrorRecord)outcome.Output[2].BaseObject, 9, 12),
        })
        {
            InvocationInfo place = error.InvocationInfo;
            Assert.Equal((script, line, column), (place.ScriptName, place.ScriptLineNumber, place.OffsetInLine));
            Assert.Contains($"# line {line}", place.Line);
            Assert.Contains($"{script}:{line} char:{column}", place.PositionMessage);
            Assert.Equal("Get-GCITSAccessTokenByResource", place.MyCommand.Name);
        }
    }

    /// <summary>A host's own pipeline has no line; there is nothing to point to then.</summary>
    [Fact]
    public void A_call_without_a_script_fails_as_well()
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        var arguments = new System.Collections.Hashtable { ["tenantid"] = "not a tenant", ["Resource"] = "https://graph.microsoft.com" };

        Outcome outcome = engine.StartWithInput(Array.Empty<object>(), "Get-GCITSAccessTokenByResource", arguments).Wait();

        Assert.Contains("neither a tenant id nor a domain", Assert.Single(outcome.Errors).Exception.Message);
    }

    [Theory]
    [InlineData("Get-GCITSAccessTokenByResource @{} $customer $graph", "no key appId")]
    [InlineData("Get-GCITSAccessTokenByResource $AppCredential $null $graph", "No tenant was given")]
    [InlineData("Get-GCITSAccessTokenByResource $AppCredential 'not a tenant' $graph", "neither a tenant id nor a domain")]
    [InlineData("Get-GCITSAccessTokenByResource $AppCredential $customer", "Neither -Resource nor -Scope")]
    [InlineData("Get-GCITSAccessTokenByResource $AppCredential", "Neither -Resource nor -Scope")]
    public void What_is_missing_is_one_clear_error_and_no_token(string call, string expected)
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(Credential + $"Clear-SecureAppDefault -Credential; $t = 'before'; $t = {call}; $null -eq $t");

        Assert.True(outcome.Single<bool>());
        Assert.Contains(expected, Assert.Single(outcome.Errors).Exception.Message);
    }
}
