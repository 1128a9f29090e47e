using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Bench;

/// <summary>Invoke-DelegatedTenantCommand over 1,000 tenants at 100 ms latency, beside foreach with the same two commands.</summary>
internal static class InvokeBench
{
    private const int Tenants = 1_000;
    private const int Sampled = 100;
    private const double LeastFactor = 25;
    private const int MostGrowth = 8;

    public static int Run()
    {
        using var session = new Session($"-TenantCount {Tenants} -AuditRecordCount 0 -LatencyMilliseconds 100");
        object[] tenants = [.. session.Invoke("$sandbox.Tenants.TenantId").Select(id => id.ToString())];
        var report = new Report("invoke", "A script in 1,000 tenants at 100 ms latency", "what", "tenants", "wall", "tenants/s", "CPU per tenant", "memory afterwards");

        // The first of a process loads the library and connects; one outside the measurement does that.
        Parallel(session, tenants.Take(1).ToArray());
        (TimeSpan wall, TimeSpan cpu) ours = Measured(session, report, "Invoke-DelegatedTenantCommand", tenants, Parallel);
        long first = Live();
        Measured(session, report, "the same again", tenants, Parallel);
        long second = Live();
        (TimeSpan wall, TimeSpan cpu) loop = Measured(session, report, $"foreach, {Sampled} of them", tenants.Take(Sampled).ToArray(), OneByOne);
        double factor = (double)Tenants / Sampled;
        report.Row("foreach for all, extrapolated", Number(Tenants), Seconds(loop.wall * factor), Number(Tenants / (loop.wall * factor).TotalSeconds), "", "");

        double faster = loop.wall * factor / ours.wall;
        report.Note(string.Create(CultureInfo.InvariantCulture, $"The command is {faster:n0} times as fast as foreach. Both ask for a token and for one answer of Microsoft Graph per tenant; each costs 100 ms of waiting."));
        report.Note("Tokens were asked for anew in each row. The first row also makes the runspaces' code ready, which a process does once.");
        report.Note($"foreach ran over {Sampled} tenants, and its time was multiplied by {factor:n0}.");
        report.Limit(faster >= LeastFactor, $"the command is at least {LeastFactor:n0} times as fast as foreach");
        report.Limit(second - first <= MostGrowth, $"the second {Tenants:n0} tenants leave at most {MostGrowth} MiB more of live objects than the first ({first} MiB, then {second} MiB)");
        return report.Finish();
    }

    private static (TimeSpan Wall, TimeSpan Cpu) Measured(Session session, Report report, string what, object[] tenants, Func<Session, object[], int> run)
    {
        session.Invoke("Clear-SecureAppTokenCache");
        int got = 0;
        (TimeSpan wall, TimeSpan cpu) time = Report.Measure(() => got = run(session, tenants));
        if (got != tenants.Length)
        {
            throw new InvalidOperationException($"{got} answers of {tenants.Length} tenants.");
        }

        report.Row(
            what, Number(tenants.Length), Seconds(time.wall), Number(tenants.Length / time.wall.TotalSeconds),
            (time.cpu.TotalMilliseconds / tenants.Length).ToString("n1", CultureInfo.InvariantCulture) + " ms", Number(WorkingSet()) + " MiB");
        return time;
    }

    private static int Parallel(Session session, object[] tenants) => session.Invoke(
        "param($tenants) $tenants | Invoke-DelegatedTenantCommand -Resource https://graph.microsoft.com { Invoke-SecureAppRequest /v1.0/organization -TenantId $Tenant.TenantId }",
        [tenants]).Count;

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
    private static long Live()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true) >> 20;
    }

    private static long WorkingSet()
    {
        using Process process = Process.GetCurrentProcess();
        process.Refresh();
        return process.WorkingSet64 >> 20;
    }

    private static string Number(double number) => number.ToString("n0", CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("n1", CultureInfo.InvariantCulture) + " s";
}
