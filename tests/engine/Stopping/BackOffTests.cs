using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Stopping;

/// <summary>
/// A command that waits before its next try is stopped, and never tries again. What proves that is the order: another session
/// is told, after the stop, to wait for longer than the stopped one was; when it has tried again, the stopped one would have.
/// </summary>
public sealed class BackOffTests
{
    private const int Seconds = 2;

    public static TheoryData<string> Commands => [.. StopTable.With(Stage.BackOff)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_stopped_command_does_not_try_again(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "50");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        RunningScript running = WaitsIn(engine, sandbox, command);

        running.Stop();
        Assert.True(running.Wait().Stopped);

        sandbox.ClearFaults();
        int before = StopBed.Requests(sandbox);
        int own = TryTwice(sandbox);
        Assert.Equal(before + own, StopBed.Requests(sandbox));
        StopBed.Incomplete(folder);
    }

    /// <summary>The proof proves something: whoever is not stopped has tried again by then.</summary>
    [Fact]
    public void A_command_that_nobody_stops_does_try_again()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "2", "--records", "0");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        RunningScript running = WaitsIn(engine, sandbox, "Get-SecureAppAccessToken");

        sandbox.ClearFaults();
        int before = StopBed.Requests(sandbox);
        int own = TryTwice(sandbox);

        Assert.Equal(before + own + 1, StopBed.Requests(sandbox));
        Assert.Single(running.Wait().Succeeded().Output);
        Recorder.HearAndDelete(folder);
    }

    /// <summary>Why it has no back-off to be stopped in: it asks once and says what it was told.</summary>
    [Fact]
    public void A_throttled_service_is_reported_by_the_check_and_not_waited_for()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = StopBed.Open(sandbox, out string folder);
        Throttle(sandbox, new { service = "login", method = "POST" }, times: -1, seconds: 86000);

        Outcome outcome = engine.Run(StopBed.Ask + StopTable.Rows["Test-SecureAppCredential"].Script).Succeeded();

        Assert.Contains(outcome.Output, row => (string)row.Properties["Check"].Value == "Credential" && (string)row.Properties["Result"].Value != "Pass");
        StopBed.Incomplete(folder);
    }

    /// <summary>Starts a command and returns when its service has told it to wait.</summary>
    private static RunningScript WaitsIn(Engine engine, Sandbox sandbox, string command)
    {
        (string script, string service, _) = StopTable.Rows[command];
        Throttle(sandbox, new { service }, times: -1, Seconds);
        RunningScript running = engine.Start(StopBed.Ask + script);
        Within.Take(() => Answered(sandbox, service), $"{service} to answer {command}");
        return running;
    }

    /// <summary>Another session is told to wait for a second longer, waits, and tries again; how many requests that took.</summary>
    private static int TryTwice(Sandbox sandbox)
    {
        using Engine other = Engine.Open().Join(sandbox);
        Throttle(sandbox, new { service = "login", tenantId = sandbox.Facts.Tenants[1].TenantId }, times: 1, Seconds + 1);
        Outcome outcome = other.Run(
            StopBed.Ask + "Get-SecureAppAccessToken $sandbox.Tenants[1].TenantId -Credential $application -Resource https://graph.windows.net").Succeeded();
        Assert.Single(outcome.Output);
        return 2;
    }

    private static void Throttle(Sandbox sandbox, object match, int times, int seconds) => sandbox.AddFault(new
    {
        match,
        times,
        action = new { kind = "status", status = 429, headers = new Dictionary<string, string> { ["Retry-After"] = seconds.ToString() }, body = "slow down" },
    });

    /// <summary>Until the service has answered and nothing more is on its way: what is left is the wait before the next try.</summary>
    private static bool Answered(Sandbox sandbox, string service)
    {
        string[] paths = service switch { "login" => ["oauth2", "openid-configuration"], "graph" => ["v1.0"], "keyVault" => ["/secrets"], "outlook" => ["adminapi"], "partnerCenter" => ["applicationconsents"], _ => ["activity"] };
        JsonNode stats;
        do
        {
            stats = sandbox.Stats();
        }
        while (stats["inFlight"]!.GetValue<int>() > 0 || !stats["byPath"]!.AsObject().Any(count => paths.Any(count.Key.Contains)));

        return true;
    }
}
