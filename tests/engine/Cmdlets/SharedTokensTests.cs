using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>Sessions of one process share what they ask for, and a session that is stopped takes nothing from the others.</summary>
public sealed class SharedTokensTests
{
    private const string Ask = "$tenants | Get-SecureAppAccessToken -Resource https://graph.microsoft.com, https://manage.office.com";

    [Fact]
    public void Four_sessions_ask_the_same_and_the_service_is_asked_once()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1000", "--records", "0", "--latency-ms", "50", "--signature", "filler");
        using Engine first = Engine.Open().Join(sandbox);
        using Engine second = Beside(first, sandbox);
        using Engine third = Beside(first, sandbox);
        using Engine fourth = Beside(first, sandbox);
        Engine[] engines = [first, second, third, fourth];
        string[] tenants = [.. sandbox.Facts.Tenants.Select(tenant => tenant.TenantId)];
        foreach (Engine engine in engines)
        {
            engine.Set("tenants", tenants);
        }

        sandbox.ResetStats();
        RunningScript[] running = [.. engines.Select(engine => engine.Start(Ask))];
        foreach (RunningScript stopped in running.Take(2))
        {
            Assert.True(stopped.TakeUntil(50).Count >= 50);
            stopped.Stop();
            Assert.True(stopped.Wait().Stopped);
        }

        Assert.All(running.Skip(2), session => Assert.Equal(2000, session.Wait().Succeeded().Output.Count));
        IReadOnlyList<TokenCount> counts = sandbox.TokenCounts();
        Assert.Equal(2000, counts.Count);
        Assert.All(counts, count => Assert.Equal(1, count.Count));
    }

    /// <summary>Another session with the same environment and the same credential, as $using: gives it to a parallel runspace.</summary>
    private static Engine Beside(Engine first, Sandbox sandbox)
    {
        Engine engine = Engine.Open();
        engine.Set("credential", first.Get("credential"));
        engine.Run("param($name) Set-SecureAppDefault -Credential $credential -Environment $name", sandbox.Facts.Environment).Succeeded();
        return engine;
    }
}
