using System.Diagnostics;
using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.SandboxCmdlets;

/// <summary>Tests that change variables of the process, which all sessions in it share.</summary>
[CollectionDefinition(nameof(OwnVariables), DisableParallelization = true)]
public sealed class OwnVariables;

/// <summary>Start- and Stop-SecureAppSandbox: what they return, and that no process is left behind.</summary>
[Collection(nameof(OwnVariables))]
public sealed class SandboxCommandTests
{
    [Fact]
    public void It_returns_everything_that_a_script_needs()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            """
            $s = Start-SecureAppSandbox -TenantCount 3 -AuditRecordCount 30 -Environment Mine
            $s
            (Get-SecureAppAccessToken -Credential $s.Credential -TenantId $s.Tenants[0].TenantId -Resource https://graph.microsoft.com -Environment $s.Environment).TenantId
            Stop-SecureAppSandbox $s
            """).Succeeded();

        PSObject sandbox = outcome.Output[0];
        Assert.Equal("Mine", sandbox.Properties["Environment"].Value);
        Assert.Equal(3, ((Array)sandbox.Properties["Tenants"].Value).Length);
        foreach (string name in new[] { "CertificatePath", "PartnerTenantId", "ApplicationId", "Secret", "RefreshToken" })
        {
            Assert.NotEqual(string.Empty, (string)sandbox.Properties[name].Value);
        }

        PSObject user = PSObject.AsPSObject(((Array)sandbox.Properties["Users"].Value).GetValue(0));
        Assert.Equal(sandbox.Properties["UserPrincipalName"].Value, user.Properties["UserPrincipalName"].Value);
        Assert.NotEqual(string.Empty, (string)user.Properties["Password"].Value);
        Assert.Contains("http://localhost", (string[])sandbox.Properties["RedirectUris"].Value);
        PSObject first = PSObject.AsPSObject(((Array)sandbox.Properties["Tenants"].Value).GetValue(0));
        Assert.Equal(first.Properties["TenantId"].Value, outcome.Output[1].BaseObject);
    }

    /// <summary>Its properties include the path of a certificate, which a credential may be read from.</summary>
    [Fact]
    public void A_sandbox_as_the_default_is_its_credential_and_its_environment()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            """
            $s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0 -Environment Mine
            $bare = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0 -Preset empty -Environment Bare
            $s | Set-SecureAppDefault
            (Get-SecureAppAccessToken -TenantId $s.Tenants[0].TenantId -Resource https://graph.microsoft.com).TenantId -eq $s.Tenants[0].TenantId
            (Get-SecureAppDefault).Environment
            Set-SecureAppDefault -Credential $s -Environment Public
            (Get-SecureAppDefault).Environment
            try { $bare | Set-SecureAppDefault } catch { $_.Exception.Message }
            try { Get-DelegatedTenant -Credential $s } catch { $_.Exception.Message }
            Stop-SecureAppSandbox $s
            Stop-SecureAppSandbox $bare
            """).Succeeded();

        Assert.Equal([true, "Mine", "Public"], outcome.Output.Take(3).Select(item => item.BaseObject));
        Assert.StartsWith("The sandbox has no credential", (string)outcome.Output[3].BaseObject);
        Assert.StartsWith("The credential is a sandbox. Pass its Credential property", (string)outcome.Output[4].BaseObject);
    }

    [Fact]
    public void Without_subscriptions_an_export_starts_them_and_does_not_have_the_week()
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        using Engine engine = Engine.Open();
        engine.Set("folder", folder);
        Outcome outcome = engine.Run(
            """
            foreach ($subscribed in $false, $true) {
                $s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 200 -AuditOption @{ subscribed = $subscribed }
                Export-SecureAppAuditLog $s.Tenants[0].TenantId "$folder/$subscribed" -Credential $s.Credential -Environment $s.Environment -StartTime ([datetime]::UtcNow.AddDays(-6))
                Stop-SecureAppSandbox $s
            }
            """).Succeeded();
        Directory.Delete(folder, recursive: true);

        Assert.Equal([false, true], outcome.Output.Select(export => (bool)export.Properties["Complete"].Value));
        Assert.Equal(4, ((Array)outcome.Output[0].Properties["Gaps"].Value).Length);
        Assert.Contains("was started at", (string)outcome.Output[0].Properties["Reason"].Value);
        Assert.Contains(outcome.Warnings, warning => warning.Contains("were started by this run", StringComparison.Ordinal));
    }

    [Fact]
    public void Stopping_ends_the_process_and_forgets_the_environment()
    {
        using Engine engine = Engine.Open();
        int process = Start(engine);

        Outcome outcome = engine.Run("$s | Stop-SecureAppSandbox; @(Get-SecureAppEnvironment | Where-Object Name -eq $s.Environment).Count").Succeeded();

        Assert.Equal(0, outcome.Single<int>());
        AssertGone(process);
        Assert.Empty(Directory.EnumerateDirectories(Path.GetTempPath(), Path.GetFileName(FolderOf(process)) + "*"));
    }

    [Fact]
    public void Importing_the_module_anew_leaves_it_running_and_removing_the_module_does_not()
    {
        using Engine engine = Engine.Open();
        int process = Start(engine);

        Outcome outcome = engine.Run(
            """
            param($path)
            Set-SecureAppDefault -Credential $s.Credential -Environment $s.Environment
            Import-Module $path -Force
            (Get-SecureAppAccessToken $s.Tenants[0].TenantId -Resource https://graph.microsoft.com).TenantId -eq $s.Tenants[0].TenantId
            Remove-Module SecureAppModel
            """,
            Repository.Manifest).Succeeded();

        Assert.True(outcome.Single<bool>());
        AssertGone(process);
    }

    [Fact]
    public void Stopping_twice_is_quiet()
    {
        using Engine engine = Engine.Open();
        Start(engine);

        engine.Run("Stop-SecureAppSandbox $s; Stop-SecureAppSandbox $s").Succeeded();
    }

    [Fact]
    public void Stopping_without_a_name_ends_those_of_this_process()
    {
        using Engine engine = Engine.Open();
        int process = Start(engine);

        engine.Run("Stop-SecureAppSandbox -ProcessId $s.ProcessId").Succeeded();

        AssertGone(process);
    }

    [Fact]
    public void A_process_that_is_no_sandbox_of_this_one_is_left_alone()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run("param($id) Stop-SecureAppSandbox -ProcessId $id", Environment.ProcessId);

        Assert.Equal(Environment.ProcessId, Assert.Single(outcome.Errors).TargetObject);
    }

    [Fact]
    public void Removing_the_module_ends_them()
    {
        using Engine engine = Engine.Open();
        int process = Start(engine);

        engine.Run("Remove-Module SecureAppModel").Succeeded();

        AssertGone(process);
        Assert.Empty(Directory.EnumerateDirectories(Path.GetTempPath(), Path.GetFileName(FolderOf(process)) + "*"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[System.Environment]::Exit(0)")]
    public void They_end_with_the_shell_and_leave_no_file(string end)
    {
        ChildResult child = ChildEngine.Run(
            "param($path) Import-Module $path; $s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0; $s.ProcessId; $s.CertificatePath; " + end,
            Repository.Manifest).Succeeded();

        int process = int.Parse(child.Lines[0], System.Globalization.CultureInfo.InvariantCulture);
        Process? sandbox = Find(process);
        Assert.True(sandbox is null || sandbox.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.Equal(Path.Combine(FolderOf(process), "ca.pem"), child.Lines[1]);
        Assert.Empty(Directory.EnumerateDirectories(Path.GetTempPath(), Path.GetFileName(FolderOf(process)) + "*"));
    }

    [Fact]
    public void The_next_start_removes_what_killed_ones_left_and_nothing_else()
    {
        using Process ended = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        Assert.True(ended.WaitForExit(Within.Limit));
        string stale = FolderOf(ended.Id);
        string platform = FolderOf(ended.Id) + "-0123456789abcdef";
        string alive = FolderOf(Environment.ProcessId);
        string foreign = FolderOf(ended.Id) + "-notes";
        foreach (string folder in new[] { stale, platform, alive, foreign })
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "ca.pem"), "a certificate");
            File.WriteAllText(Path.Combine(folder, "application.pfx"), "another");
        }

        try
        {
            using Engine engine = Engine.Open();
            Start(engine);
            engine.Run("Stop-SecureAppSandbox $s").Succeeded();

            Assert.False(Directory.Exists(stale));
            Assert.False(Directory.Exists(platform));
            Assert.True(File.Exists(Path.Combine(alive, "ca.pem")));
            Assert.True(File.Exists(Path.Combine(foreign, "ca.pem")));
        }
        finally
        {
            Directory.Delete(alive, recursive: true);
            Directory.Delete(foreign, recursive: true);
        }
    }

    [Fact]
    public void They_end_with_the_shell_even_when_that_is_killed()
    {
        using ChildEngine child = ChildEngine.Start(
            "param($path) Import-Module $path; (Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0).ProcessId; while ($true) { [System.Threading.Thread]::Sleep(1000) }",
            Repository.Manifest);
        int process = int.Parse(child.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
        Process? sandbox = Find(process);

        child.Process.Kill();
        Assert.True(child.Process.WaitForExit(Within.Limit));

        Assert.True(sandbox is null || sandbox.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.Empty(Directory.EnumerateDirectories(Path.GetTempPath(), Path.GetFileName(FolderOf(process)) + "*"));
    }

    [Fact]
    public void A_start_that_fails_shows_what_the_sandbox_said()
    {
        string path = StandIn.Program("echo 'no estate today' >&2; exit 3");

        Outcome outcome = StandIn.Run(path, "Start-SecureAppSandbox");
        File.Delete(path);

        Assert.Contains("exit code 3", outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
        Assert.Contains("no estate today", outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
    }

    [Fact]
    public void A_missing_sandbox_is_named_with_its_variable()
    {
        Outcome outcome = StandIn.Run("/nowhere/secureapp-sandbox", "Start-SecureAppSandbox");

        Assert.Contains("SECUREAPP_SANDBOX_PATH", outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
    }

    [Fact]
    public void A_lost_execute_bit_is_no_obstacle()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no execute bits.");
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        string copy = Path.Combine(folder, "secureapp-sandbox");
        File.Copy(Repository.SandboxProgram, copy);
        StandIn.SetMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Outcome outcome = StandIn.Run(folder, "$s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0; $s.Tenants.Count; Stop-SecureAppSandbox $s").Succeeded();
        Directory.Delete(folder, recursive: true);

        Assert.Equal(1, outcome.Single<int>());
    }

    [Fact]
    public void A_stop_while_it_starts_ends_it()
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        string started = Path.Combine(folder, "pid");
        using var watcher = new FileSystemWatcher(folder, "pid");
        using var seen = new ManualResetEventSlim();
        watcher.Renamed += (_, _) => seen.Set();
        watcher.EnableRaisingEvents = true;
        string path = StandIn.Program($"echo $$ > {started}.new; mv {started}.new {started}; exec cat");
        Environment.SetEnvironmentVariable("SECUREAPP_SANDBOX_PATH", path);
        try
        {
            using Engine engine = Engine.Open();
            RunningScript script = engine.Start("Start-SecureAppSandbox");
            Assert.True(seen.Wait(TimeSpan.FromSeconds(30)));

            script.Stop();

            Assert.True(script.Wait().Stopped);
            AssertGone(int.Parse(File.ReadAllText(started), System.Globalization.CultureInfo.InvariantCulture));
        }
        finally
        {
            Environment.SetEnvironmentVariable("SECUREAPP_SANDBOX_PATH", null);
            File.Delete(path);
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Its_view_shows_no_secret()
    {
        using Engine engine = Engine.Open();

        string screen = engine.Render("$s = Start-SecureAppSandbox -TenantCount 2 -AuditRecordCount 20; $s");
        string behind = engine.Render("@(Get-SecureAppEnvironment)[0]; $s");
        string secret = engine.Run("$s.Secret; Stop-SecureAppSandbox $s").Single<string>();

        Assert.Contains("2 with 20 audit records", screen);
        Assert.Contains("PartnerTenantId", behind);
        Assert.DoesNotContain(secret, screen + behind);
    }

    private static string FolderOf(int process) => Path.Combine(Path.GetTempPath(), $"secureapp-sandbox-{process}");

    private static int Start(Engine engine) =>
        engine.Run("$s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0; $s.ProcessId").Succeeded().Single<int>();

    private static Process? Find(int process)
    {
        try
        {
            return Process.GetProcessById(process);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static void AssertGone(int process)
    {
        using Process? left = Find(process);
        Assert.True(left is null || left.HasExited);
    }
}
