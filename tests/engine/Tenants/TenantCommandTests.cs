using System.Collections;
using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Tenants;

/// <summary>Invoke-DelegatedTenantCommand: a script per tenant, and nothing left behind.</summary>
public sealed class TenantCommandTests : IDisposable
{
    private const string Graph = "-Resource https://graph.microsoft.com";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "6", "--records", "0");
    private readonly Engine _engine;

    public TenantCommandTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    [Fact]
    public void A_script_has_its_tenant_its_token_and_the_modules_commands_ready()
    {
        Outcome outcome = _engine.Run(
            "Get-DelegatedTenant | Invoke-DelegatedTenantCommand " + Graph + """
             {
                [pscustomobject]@{
                    Id = $Tenant.TenantId; Domain = $Tenant.DefaultDomainName; Audience = (ConvertFrom-SecureAppAccessToken $Token).Audience
                    Users = @(Invoke-SecureAppRequest '/v1.0/users' -All -TenantId $Tenant.TenantId).Count
                }
            }
            """).Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).Order(),
            outcome.Output.Select(item => (string)item.Properties["Id"].Value).Order());
        Assert.All(outcome.Output, item =>
        {
            SandboxTenant tenant = _sandbox.Facts.Tenants.Single(tenant => tenant.TenantId == (string)item.Properties["Id"].Value);
            Assert.Equal("https://graph.microsoft.com", item.Properties["Audience"].Value);
            Assert.Equal(12, item.Properties["Users"].Value);
            Assert.Equal((tenant.TenantId, tenant.DisplayName), (item.Properties["PSTenantId"].Value, item.Properties["PSTenantName"].Value));
        });
        Assert.Contains("6 of 6 tenants succeeded", outcome.Information);
        NoRunspaceIsLeft();
    }

    [Fact]
    public void Several_resources_make_a_table_of_tokens()
    {
        Outcome outcome = _engine.Run(
            "Invoke-DelegatedTenantCommand -TenantId $customer -Resource https://graph.microsoft.com, https://manage.office.com { $Token.Keys; $Token['https://manage.office.com'].Resource }").Succeeded();

        Assert.Equal(
            ["https://graph.microsoft.com", "https://manage.office.com", "https://manage.office.com"],
            outcome.Output.Select(item => (string)item.BaseObject).Order());
    }

    [Fact]
    public void Variables_arguments_and_modules_of_the_caller_are_there()
    {
        Outcome outcome = _engine.Run(
            """
            param($folder)
            $path = "$folder/Callers.psm1"
            [System.IO.File]::WriteAllText($path, 'function Get-Greeting { "hello" }')
            $word = 'one'; $table = @{ inner = 'two' }; $list = 'x', 'three'
            Invoke-DelegatedTenantCommand -TenantId $customer -Resource https://graph.microsoft.com -ArgumentList four, five -Module $path {
                param($first)
                "$using:word $($using:table.inner) $(($using:list)[1]) $first $args $(Get-Greeting) $((Get-SecureAppDefault).Environment)"
                & { $using:WORD }
            }
            """,
            Directory.CreateTempSubdirectory("secureapp-callers-").FullName).Succeeded();

        Assert.Equal(["one two three four five hello " + _sandbox.Facts.Environment, "one"], outcome.Output.Select(item => (string)item.BaseObject));
    }

    [Fact]
    public void A_script_finds_nothing_of_the_one_before_it()
    {
        Outcome outcome = _engine.Run(
            "$sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " -ThrottleLimit 1 { \"[$global:left]\"; $global:left = 'behind'; Set-SecureAppDefault -Environment Public; $ErrorActionPreference = 'Stop' }").Succeeded();

        Assert.Equal(Enumerable.Repeat("[]", 6), outcome.Output.Select(item => (string)item.BaseObject));
    }

    [Fact]
    public void A_tenant_that_fails_is_an_error_of_its_own_and_a_resumption_runs_only_those()
    {
        string noToken = _sandbox.Facts.Tenants[1].TenantId;
        string thrown = _sandbox.Facts.Tenants[2].TenantId;
        string written = _sandbox.Facts.Tenants[3].TenantId;
        _sandbox.SetTenant(noToken, new { consent = "missing" });
        _engine.Set("thrown", thrown);
        _engine.Set("written", written);

        Outcome first = _engine.Run(
            """
            $script = {
                if ($Tenant.TenantId -eq $using:thrown -and $using:broken) { throw 'on purpose' }
                if ($Tenant.TenantId -eq $using:written -and $using:broken) { Get-WhatIsNotThere }
                $Tenant.TenantId
            }
            $global:broken = $true
            $global:script = $script
            'no tenant', $sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand $script -Resource https://graph.microsoft.com -PassThru
            """);

        Assert.Null(first.Failure);
        Assert.Equal("6 3 3 0", Counts(first.Output[^1]));
        Assert.Equal(4, first.Errors.Count);
        Assert.Contains(first.Errors, error => error.ErrorDetails.Message.Contains(thrown) && error.ErrorDetails.Message.Contains("on purpose"));
        ErrorRecord refusal = Assert.Single(first.Errors, error => (error.TargetObject as string) == noToken);
        Assert.Contains("AADSTS65001", refusal.Exception.Message);
        Assert.Equal(4, first.Output.Count - 1);

        _sandbox.SetTenant(noToken, new { consent = "granted" });
        _engine.Set("summary", PSSerializer.Deserialize(PSSerializer.Serialize(first.Output[^1])));
        Outcome second = _engine.Run(
            "$global:broken = $false; Invoke-DelegatedTenantCommand $script -Resource https://graph.microsoft.com -Resume $summary -SummaryVariable again; $again; Invoke-DelegatedTenantCommand $script -Resource https://graph.microsoft.com -Resume $again").Succeeded();

        Assert.Equal(new[] { noToken, thrown, written }.Order(), second.Output.Where(item => item.BaseObject is string).Select(item => (string)item.BaseObject).Order());
        Assert.Equal("3 3 0 0", Counts(second.Output[^1]));
    }

    /// <summary>A tenant whose name is not known is in the message by its id already.</summary>
    [Fact]
    public void A_tenant_without_a_token_is_named_before_the_message()
    {
        SandboxTenant closed = _sandbox.Facts.Tenants[1];
        _sandbox.SetTenant(closed.TenantId, new { consent = "missing" });
        _engine.Set("closed", closed.TenantId);

        ErrorRecord named = Assert.Single(_engine.Run("Get-DelegatedTenant -TenantId $closed | Invoke-DelegatedTenantCommand " + Graph + " { 1 }").Errors);

        Assert.StartsWith($"{closed.DisplayName} ({closed.TenantId}): No token", named.ErrorDetails.Message, StringComparison.OrdinalIgnoreCase);
        using Engine other = Engine.Open().Join(_sandbox);
        ErrorRecord bare = Assert.Single(other.Run("Invoke-DelegatedTenantCommand " + Graph + " { 1 } -TenantId $args[0]", closed.TenantId).Errors);
        Assert.StartsWith("No token", bare.ErrorDetails.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(closed.TenantId, bare.ErrorDetails.Message);
    }

    [Fact]
    public void A_script_that_failed_is_started_again_as_often_as_was_said()
    {
        var attempts = Hashtable.Synchronized(new Hashtable());
        _engine.Set("attempts", attempts);

        Outcome outcome = _engine.Run(
            """
            $sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand -Resource https://graph.microsoft.com -RetryCount 2 -PassThru {
                $attempts = $using:attempts
                $attempts[$Tenant.TenantId] = 1 + $attempts[$Tenant.TenantId]
                if ($attempts[$Tenant.TenantId] -lt 3 -and $Tenant.TenantId -eq $using:customer) { throw "attempt $($attempts[$Tenant.TenantId])" }
                if ($Tenant.TenantId -eq ($using:sandbox).Tenants[1].TenantId) { throw 'always' }
            }
            """);

        Assert.Equal([3, 3, 1, 1, 1, 1], _sandbox.Facts.Tenants.Select(tenant => (int)attempts[tenant.TenantId]!));
        Assert.Single(outcome.Errors);
        Assert.Equal(4, outcome.Warnings.Count(warning => warning.Contains("is repeated")));
        PSObject summary = Assert.Single(outcome.Output);
        Assert.Equal([3, 3, 1, 1, 1, 1], Rows(summary).Select(result => (int)Of(result, "Attempts")!));
        Assert.Equal("6 5 1 0", Counts(summary));
    }

    [Fact]
    public void A_script_whose_time_is_over_is_stopped_and_the_others_go_on()
    {
        using var never = new SemaphoreSlim(0);
        _engine.Set("never", never);

        Outcome outcome = _engine.Run(
            "$sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " -TimeoutSeconds 1 -PassThru { if ($Tenant.TenantId -eq $using:customer) { while (-not ($using:never).Wait(20)) { } } }");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("stopped after 1 seconds", error.Exception.Message);
        PSObject summary = Assert.Single(outcome.Output);
        Assert.Equal("TimedOut", Of(Rows(summary)[0], "Status")?.ToString());
        Assert.Equal("6 5 1 0", Counts(summary));
        NoRunspaceIsLeft();
    }

    [Fact]
    public void Output_comes_while_other_scripts_still_run_and_a_stop_leaves_no_runspace_and_no_connection()
    {
        string held = _sandbox.Facts.Tenants[5].TenantId;
        _sandbox.AddFault(new { id = "held", match = new { service = "graph", tenantId = held }, times = -1, action = new { kind = "hold", stage = "before-headers" } });

        RunningScript running = _engine.Start(
            "$sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " -SummaryVariable global:run { Invoke-SecureAppRequest /v1.0/organization -TenantId $Tenant.TenantId }");
        Assert.Equal(5, running.TakeUntil(5).Count);
        _sandbox.WaitForHold("held", "held");
        Assert.NotEqual(0, Runspaces());
        running.Stop();

        Assert.True(running.Wait().Stopped);
        _sandbox.WaitForHold("held", "closed");
        NoRunspaceIsLeft();
        Assert.Equal("NotRun", Of(Rows(_engine.Get("run")!).Single(row => (string)Of(row, "TenantId")! == held), "Status")?.ToString());
        _sandbox.ClearFaults();
        Outcome rest = _engine.Run("Invoke-DelegatedTenantCommand -Resume $run " + Graph + " { $Tenant.TenantId }").Succeeded();
        Assert.Contains(held, rest.Output.Select(item => (string)item.BaseObject));
    }

    [Fact]
    public void A_stop_while_every_script_waits_closes_all_of_their_connections_and_runspaces()
    {
        _sandbox.AddFault(new { id = "held", match = new { service = "graph" }, times = -1, action = new { kind = "hold", stage = "before-headers" } });

        RunningScript running = _engine.Start(
            "$sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " { Invoke-SecureAppRequest /v1.0/organization -TenantId $Tenant.TenantId }");
        _sandbox.WaitForHold("held", "held", 6);
        Assert.Equal(6, Runspaces());
        running.Stop();

        Assert.True(running.Wait().Stopped);
        _sandbox.WaitForHold("held", "closed", 6);
        NoRunspaceIsLeft();
    }

    /// <summary>
    /// What a runspace knows of types is most of its memory. PowerShell keeps it wherever code compiled in that runspace has called a
    /// method that types are extended by, such as ToString, and so the module must call none while it is imported.
    /// </summary>
    [Fact]
    public void What_a_runspace_knew_of_types_is_free_once_the_command_has_ended()
    {
        var known = new ConcurrentBag<WeakReference>();
        _engine.Set("note", new Action(() => known.Add(new WeakReference(Types(Runspace.DefaultRunspace)))));

        _engine.Run("$sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " { ($using:note).Invoke() }").Succeeded();

        Assert.Equal(6, known.Count);
        Within.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return known.All(types => !types.IsAlive);
            },
            "the types that the closed runspaces knew to be collected");
    }

    [Fact]
    public void A_reader_who_has_enough_stops_the_scripts()
    {
        Outcome outcome = _engine.Run(
            "function First { process { $_; break } }; foreach ($once in 1) { $sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " { 1..100000 } | First }");

        Assert.Equal(1, outcome.Output[0].BaseObject);
        NoRunspaceIsLeft();
    }

    [Fact]
    public void Streams_of_a_script_come_with_the_tenants_name()
    {
        Outcome outcome = _engine.Run(
            "$customer | Invoke-DelegatedTenantCommand " + Graph + " -Verbose { [CmdletBinding()] param() $PSCmdlet.WriteWarning('careful'); $PSCmdlet.WriteVerbose('told'); $PSCmdlet.WriteInformation('known', $null); $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([exception]::new('wrong'), 'Wrong', 'NotSpecified', $null)) }");

        Assert.Contains(outcome.Warnings, text => text == $"{_sandbox.Facts.Tenants[0].TenantId}: careful");
        Assert.Contains(outcome.Verbose, text => text == $"{_sandbox.Facts.Tenants[0].TenantId}: told");
        Assert.Contains("known", outcome.Information);
        Assert.Equal($"{_sandbox.Facts.Tenants[0].TenantId}: wrong", Assert.Single(outcome.Errors).ErrorDetails.Message);
    }

    [Theory]
    [InlineData("Invoke-DelegatedTenantCommand { } -Resource https://graph.microsoft.com", "No tenant was given")]
    [InlineData("Invoke-DelegatedTenantCommand { } -TenantId $customer", "Neither -Resource nor -Scope")]
    [InlineData("Invoke-DelegatedTenantCommand { } -TenantId $customer -Resource $nothing", "-Resource is empty. Check the variable that it comes from: -Resource or -Scope has to say")]
    [InlineData("Invoke-DelegatedTenantCommand { } -TenantId $customer -Scope 'a', ''", "-Scope is empty. Check the variable that it comes from: -Resource or -Scope has to say")]
    [InlineData("Invoke-DelegatedTenantCommand { } -TenantId 'no tenant' -Resource https://graph.microsoft.com", "neither a tenant id nor a domain")]
    [InlineData("Invoke-DelegatedTenantCommand { $using:isNotThere } -TenantId $customer -Resource https://graph.microsoft.com", "isNotThere")]
    [InlineData("Invoke-DelegatedTenantCommand { } -TenantId $customer -Resource https://graph.microsoft.com -Module SecureAppModel, Is.Not.There", "The module 'Is.Not.There' was not found. Check the names")]
    [InlineData("Invoke-DelegatedTenantCommand { } -Resume 'x' -Resource https://graph.microsoft.com", "no summary of an earlier run")]
    [InlineData("Invoke-DelegatedTenantCommand { } -Resume $nothing -Resource https://graph.microsoft.com", "-Resume is empty")]
    [InlineData("Invoke-DelegatedTenantCommand { } -Resume @() -TenantId $customer -Resource https://graph.microsoft.com", "-Resume names the tenants")]
    public void Bad_input_says_what_is_wrong_and_sends_nothing(string script, string expected)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(script);

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
        NoRunspaceIsLeft();
    }

    [Fact]
    public void A_module_that_fails_is_told_in_its_own_words()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("secureapp-callers-").FullName, "Failing.psm1");
        File.WriteAllText(path, "throw 'not today'");

        ErrorRecord error = Assert.Single(_engine.Run("Invoke-DelegatedTenantCommand " + Graph + " { } -TenantId $customer -Module $args[0]", path).Errors);

        Assert.Contains("not today", error.Exception.Message);
        Assert.Contains(path, error.Exception.Message);
        Assert.DoesNotContain("InitialSessionState", error.Exception.Message);
    }

    [Fact]
    public void WhatIf_runs_nothing_and_sends_nothing()
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run("$sandbox.Tenants.TenantId | Invoke-DelegatedTenantCommand " + Graph + " { 'ran' } -WhatIf").Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Contains("Run the script", outcome.Screen);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    /// <summary>Those that the command makes have a name of their own, by which the process's list tells them.</summary>
    private static int Runspaces()
    {
        var list = (IEnumerable<Runspace>)typeof(Runspace).GetProperty("RunspaceList", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;
        return list.Count(runspace => runspace.Name.StartsWith("SecureAppModel tenant", StringComparison.Ordinal)
            && runspace.RunspaceStateInfo.State is not (RunspaceState.Closed or RunspaceState.Broken));
    }

    private static object Types(Runspace runspace)
    {
        const BindingFlags Own = BindingFlags.Instance | BindingFlags.NonPublic;
        object context = typeof(Runspace).GetProperty("ExecutionContext", Own)!.GetValue(runspace)!;
        return context.GetType().GetProperty("TypeTable", Own)!.GetValue(context)!;
    }

    private static void NoRunspaceIsLeft() => Within.Take(
        () =>
        {
            while (Runspaces() > 0)
            {
                Thread.Yield();
            }

            return true;
        },
        "all runspaces of the scripts to be closed");

    /// <summary>A summary's total, and how many succeeded, failed and were not run.</summary>
    private static string Counts(object summary) =>
        string.Join(' ', new[] { "Total", "Succeeded", "Failed", "NotRun" }.Select(name => Of(summary, name)));

    private static object[] Rows(object summary) => [.. ((IEnumerable)Of(summary, "Results")!).Cast<object>()];

    private static object? Of(object value, string property) => PSObject.AsPSObject(value).Properties[property]?.Value;
}
