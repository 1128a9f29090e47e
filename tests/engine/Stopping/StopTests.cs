using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.PartnerCenter;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Stopping;

/// <summary>
/// Every exported command is stopped at each stage that <see cref="StopTable"/> says it has. What proves the stop is the
/// order of events, not a clock: the sandbox holds the reply, the stop returns, the sandbox sees the client go away.
/// </summary>
public sealed class StopTests
{
    /// <summary>A credential whose application id does not come before the test says so, which it never does.</summary>
    private const string AskLater = """
        $application = [pscustomobject]@{ secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId }
        $user = [pscustomobject]@{ secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId; refreshToken = $sandbox.RefreshToken }
        foreach ($asked in $application, $user) {
            $asked.psobject.Properties.Add([psscriptproperty]::new('appId', { $reached.Set(); while (-not $never.Wait(20)) { } }))
        }

        """;

    public static TheoryData<string> With(Stage stage) => [.. StopTable.With(stage)];

    public static TheoryData<string> Local => [.. StopTable.Rows.Where(row => row.Value.Service.Length == 0).Select(row => row.Key)];

    public static TheoryData<string, Stage, string> Held =>
    [
        .. StopTable.With(Stage.Headers).Select(name => (name, Stage.Headers, "before-headers")),
        .. StopTable.With(Stage.Body).Select(name => (name, Stage.Body, "after-headers")),
        .. StopTable.With(Stage.MidBody).Select(name => (name, Stage.MidBody, "mid-body")),
    ];

    [Fact]
    public void Every_exported_command_has_its_row()
    {
        using Engine engine = Engine.Open().WithPartnerCommand();
        IEnumerable<string> there = engine.Run("(Get-Command -Module SecureAppModel, SecureAppModel.PartnerCenter).Name").Succeeded().Output.Select(name => name.ToString()!);

        Assert.Equal(StopTable.Exported().Order(), StopTable.Rows.Keys.Order());
        Assert.Equal(StopTable.Exported().Order(), there.Order());
        Assert.All(StopTable.Rows.Values.SelectMany(row => row.Without.Values), Assert.NotEmpty);
    }

    [Theory]
    [MemberData(nameof(Local))]
    public void A_command_without_network_asks_no_service(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = StopBed.Open(sandbox, out string folder);

        engine.Run(StopTable.Rows[command].Script).Succeeded();

        Assert.Equal(0, StopBed.Requests(sandbox));
        StopBed.Incomplete(folder);
    }

    /// <summary>What starts a process is stopped while that starts in SandboxCommandTests, which has that variable for itself.</summary>
    [Fact]
    public void Only_the_sandbox_starts_a_process() => Assert.Equal(["Start-SecureAppSandbox"], StopTable.With(Stage.ProcessStart));

    [Theory]
    [MemberData(nameof(With), Stage.BeforeStart)]
    public void A_command_that_has_not_read_its_input_is_abandoned(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        using var never = new SemaphoreSlim(0);
        engine.Set("never", never);
        using var reached = new ManualResetEventSlim();
        engine.Set("reached", reached);

        RunningScript running = engine.Start(AskLater + StopTable.Rows[command].Script);
        Within.Wait(reached, "the command to read its input");
        running.Stop();

        Assert.True(running.Wait().Stopped);
        Assert.Equal(0, StopBed.Requests(sandbox));
        StopBed.Incomplete(folder);
    }

    [Theory]
    [MemberData(nameof(Held))]
    public void A_held_reply_is_abandoned(string command, Stage at, string stage)
    {
        Assert.False(StopTable.Rows[command].Without.ContainsKey(at));
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        (string script, string service, _) = StopTable.Rows[command];
        sandbox.AddFault(new
        {
            id = "held",
            match = new { service },
            times = -1,
            action = new { kind = "hold", stage },
        });

        RunningScript running = engine.Start(StopBed.Ask + script);
        sandbox.WaitForHold("held", "held");
        running.Stop();
        JsonNode hold = sandbox.WaitForHold("held", "closed");

        Assert.True(running.Wait().Stopped);
        Assert.True(hold["closed"]!.GetValue<int>() >= 1);
        Assert.Equal(0, hold["released"]!.GetValue<int>());
        StopBed.Incomplete(folder);
    }

    [Theory]
    [MemberData(nameof(With), Stage.Connecting)]
    public void A_host_that_accepts_and_says_nothing_is_abandoned(string command)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        string silent = $"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}";
        engine.Run(
            "param($silent) Add-SecureAppEnvironment -Force -Name Silent -LoginEndpoint $silent -GraphEndpoint $silent -PartnerCenterEndpoint $silent -ManagementEndpoint $silent -OutlookEndpoint $silent -KeyVaultEndpoint $silent; Set-SecureAppDefault -Environment Silent",
            silent).Succeeded();

        RunningScript running = engine.Start(StopBed.Ask + StopTable.Rows[command].Script);
        using Socket connection = Within.Take(listener.AcceptSocket, "the command's connection");
        running.Stop();
        Within.Take(() => Drained(connection), "the command's end of the connection");

        Assert.True(running.Wait().Stopped);
        StopBed.Incomplete(folder);
    }

    /// <summary>The search for primes goes on by itself, in a thread that nobody waits for; the command does not.</summary>
    [Theory]
    [MemberData(nameof(With), Stage.KeyGeneration)]
    public void A_key_that_is_being_made_is_abandoned(string command)
    {
        using Engine engine = Engine.Open();
        string folder = Directory.CreateTempSubdirectory("secureapp-stop-").FullName;
        engine.Set("folder", folder);
        using var limit = new CancellationTokenSource(Within.Limit);

        RunningScript running = engine.Start(StopTable.Rows[command].Script + " -KeyLength 8192");
        while (!engine.Progress.Any(record => record.StatusDescription.Contains("8192 bits", StringComparison.Ordinal)))
        {
            limit.Token.ThrowIfCancellationRequested();
            Thread.Yield();
        }

        running.Stop();

        Assert.True(running.Wait().Stopped);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        Directory.Delete(folder);
    }

    /// <summary>
    /// The first part has just got its name, the others of that tenant follow or have followed, and another tenant is held. The
    /// crash tests of the writer stand between all of its steps; this one has the whole command around it.
    /// </summary>
    [Theory]
    [MemberData(nameof(With), Stage.Rename)]
    public void A_stop_between_renames_leaves_what_a_second_run_completes(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "400");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        string whole = StopTable.Rows[command].Script.Replace("$customer", "$sandbox.Tenants.TenantId", StringComparison.Ordinal)
            + " -StartTime ([datetime]::UtcNow.AddDays(-6.9)) -EndTime ([datetime]::UtcNow) -SettleDelay 0";
        sandbox.AddFault(new
        {
            id = "held",
            match = new { service = "manage", tenantId = sandbox.Facts.Tenants[1].TenantId },
            times = -1,
            action = new { kind = "hold", stage = "before-headers" },
        });
        RunningScript running = engine.Start(StopBed.Ask + whole);
        // Not a watcher: it learns of a new folder too late for what is put there at once.
        Within.Until(() => Directory.EnumerateFiles(folder, "part-*", SearchOption.AllDirectories).Any(), "the first part with its name");
        sandbox.WaitForHold("held", "held");
        running.Stop();
        sandbox.WaitForHold("held", "closed");

        Assert.True(running.Wait().Stopped);
        foreach (SandboxTenant tenant in sandbox.Facts.Tenants)
        {
            JsonNode? manifest = Manifest(folder, tenant.TenantId);
            if (manifest is null || !manifest["complete"]!.GetValue<bool>())
            {
                Assert.NotEmpty(manifest?["reason"]!.GetValue<string>() ?? "there is no manifest, which promises nothing");
            }
            else
            {
                Assert.Equal(sandbox.RecordIds(tenant.TenantId), Ids(folder, tenant.TenantId));
            }
        }

        Assert.NotEqual(true, Manifest(folder, sandbox.Facts.Tenants[1].TenantId)?["complete"]!.GetValue<bool>());
        sandbox.ClearFaults();
        engine.Run(StopBed.Ask + whole).Succeeded();
        Assert.All(sandbox.Facts.Tenants, tenant => Assert.Equal(sandbox.RecordIds(tenant.TenantId), Ids(folder, tenant.TenantId)));
        Recorder.HearAndDelete(folder);
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken")]
    [InlineData("Export-SecureAppAuditLog")]
    public void A_command_whose_input_has_not_come_is_abandoned(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = StopBed.Open(sandbox, out _);
        using var never = new SemaphoreSlim(0);
        engine.Set("never", never);
        using var reached = new ManualResetEventSlim();
        engine.Set("reached", reached);
        string arguments = StopTable.Rows[command].Script.Replace("-TenantId $customer", "");

        RunningScript running = engine.Start(StopBed.Ask + "& { $reached.Set(); while (-not $never.Wait(20)) { } } | " + arguments);
        Within.Wait(reached, "the command to read its input");
        running.Stop();

        Assert.True(running.Wait().Stopped);
        Assert.Equal(0, StopBed.Requests(sandbox));
    }

    /// <summary>Reads until the peer has gone.</summary>
    private static bool Drained(Socket connection)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (connection.Receive(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset: gone as well.
        }

        return true;
    }

    private static JsonNode? Manifest(string folder, string tenantId)
    {
        string path = Path.Combine(folder, "tenant=" + tenantId, "manifest.json");
        return File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path)) : null;
    }

    private static IEnumerable<string> Ids(string folder, string tenantId) => Directory
        .EnumerateFiles(Path.Combine(folder, "tenant=" + tenantId), "part-*.ndjson", SearchOption.AllDirectories)
        .SelectMany(File.ReadLines)
        .Select(line => JsonNode.Parse(line)!["Id"]!.GetValue<string>())
        .Order(StringComparer.Ordinal);
}
