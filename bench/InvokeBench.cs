using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Bench;

/// <summary>Invoke-DelegatedTenantCommand over 1,000 tenants at 100 ms latency, beside foreach with the same two commands.</summary>
internal static class InvokeBench
{
    private const int Tenants = 1_000;
    private const int Many = 5_000;
    private const int Further = 4;
    private const int Sampled = 100;
    private const double LeastFactor = 25;
    private const double MostGrowth = 0.5;
    private const double MostGrowthOfMany = 2;
    private const int MostPeakOfMany = 32;

    public static int Run()
    {
        using var session = new Session($"-TenantCount {Many} -AuditRecordCount 0 -LatencyMilliseconds 100");
        object[] many = [.. session.Invoke("$sandbox.Tenants.TenantId").Select(id => id.ToString())];
        object[] tenants = [.. many.Take(Tenants)];
        var report = new Report(
            "invoke", "A script in 1,000 tenants at 100 ms latency", "what", "tenants", "wall", "tenants/s", "CPU per tenant", "live objects afterwards", "peak memory so far");

        // The first of a process loads the library and connects; one outside the measurement does that.
        Parallel(session, [.. tenants.Take(1)]);
        Row ours = Measured(session, report, "Invoke-DelegatedTenantCommand", tenants, Parallel);
        Row last = ours;
        for (int round = 1; round <= Further; round++)
        {
            last = Measured(session, report, "the same again", tenants, Parallel);
        }

        Row large = Measured(session, report, "the same, five times as many", many, Parallel);
        Row loop = Measured(session, report, $"foreach, {Sampled} of them", [.. tenants.Take(Sampled)], OneByOne);
        double factor = (double)Tenants / Sampled;
        report.Row("foreach for all, extrapolated", Number(Tenants), Seconds(loop.Wall * factor), Number(Tenants / (loop.Wall * factor).TotalSeconds), "", "", "");

        double faster = loop.Wall * factor / ours.Wall;
        double growth = (last.Live - ours.Live) / Further;
        report.Note(string.Create(CultureInfo.InvariantCulture, $"The command is {faster:n0} times as fast as foreach. Both ask for a token and for one answer of Microsoft Graph per tenant; each costs 100 ms of waiting."));
        report.Note("Tokens were asked for anew in each row. The first row also makes the runspaces' code ready, which a process does once.");
        report.Note($"foreach ran over {Sampled} tenants, and its time was multiplied by {factor:n0}.");
        report.Note("Live objects are what is left in .NET's heap once all that nothing refers to is collected; peak memory is the whole process's, with the cached tokens, .NET and PowerShell's engine.");
        report.Limit(faster >= LeastFactor, $"the command is at least {LeastFactor:n0} times as fast as foreach");
        report.Limit(growth <= MostGrowth, string.Create(CultureInfo.InvariantCulture, $"each further {Tenants:n0} tenants leave at most {MostGrowth} MiB of live objects ({growth:n2} MiB)"));
        report.Limit(large.Live - last.Live <= MostGrowthOfMany, string.Create(CultureInfo.InvariantCulture, $"{Many:n0} tenants in one command leave at most {MostGrowthOfMany} MiB more of live objects than {Tenants:n0} ({large.Live - last.Live:n2} MiB)"));
        report.Limit(large.Peak - last.Peak <= MostPeakOfMany, string.Create(CultureInfo.InvariantCulture, $"{Many:n0} tenants in one command take at most {MostPeakOfMany} MiB more at their peak than {Tenants:n0} ({large.Peak - last.Peak:n0} MiB)"));
        return report.Finish();
    }

    private static Row Measured(Session session, Report report, string what, object[] tenants, Func<Session, object[], int> run)
    {
        session.Invoke("Clear-SecureAppTokenCache");
        int got = 0;
        (TimeSpan wall, TimeSpan cpu) time = Report.Measure(() => got = run(session, tenants));
        if (got != tenants.Length)
        {
            throw new InvalidOperationException($"{got} answers of {tenants.Length} tenants.");
        }

        double peak = Peak();
        double live = Live();
        report.Row(
            what, Number(tenants.Length), Seconds(time.wall), Number(tenants.Length / time.wall.TotalSeconds),
            (time.cpu.TotalMilliseconds / tenants.Length).ToString("n1", CultureInfo.InvariantCulture) + " ms",
            live.ToString("n1", CultureInfo.InvariantCulture) + " MiB", Number(peak) + " MiB");
        return new Row(time.wall, live, peak);
    }

    /// <summary>Counts the answers as they come: the pipeline's reader keeps none.</summary>
    private static int Parallel(Session session, object[] tenants) => (int)session.Invoke(
        """
        param($tenants)
        $got = 0
        $tenants | Invoke-DelegatedTenantCommand -Resource https://graph.microsoft.com {
            Invoke-SecureAppRequest /v1.0/organization -TenantId $Tenant.TenantId
        } | ForEach-Object { $got++ }
        $got
        """,
        [tenants]).Single().BaseObject;

    private static int OneByOne(Session session, object[] tenants) => session.Invoke(
        """
        param($tenants)
        foreach ($tenant in $tenants) {
            $token = Get-SecureAppAccessToken -TenantId $tenant -Resource https://graph.microsoft.com
            Invoke-SecureAppRequest /v1.0/organization -TenantId $tenant
        }
        """,
        [tenants]).Count;

    /// <summary>What the process still refers to, in MiB.</summary>
    private static double Live()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true) / (double)(1 << 20);
    }

    private static double Peak()
    {
        using Process process = Process.GetCurrentProcess();
        process.Refresh();
        return process.PeakWorkingSet64 >> 20;
    }

    private static string Number(double number) => number.ToString("n0", CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("n1", CultureInfo.InvariantCulture) + " s";

    private readonly record struct Row(TimeSpan Wall, double Live, double Peak);
}
