using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Bench;

/// <summary>From Stop (Ctrl+C) to the end of the pipeline, while the sandbox keeps the command waiting at a known stage.</summary>
internal static class StopBench
{
    private const int Rounds = 40;
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(500);

    public static int Run()
    {
        using var session = new Session("-TenantCount 2 -AuditRecordCount 10");
        var report = new Report("stop", "From Stop to the end of the pipeline", "waiting for", "stops", "median", "p95", "max");
        session.Invoke("Get-SecureAppAccessToken -TenantId $sandbox.PartnerTenantId -Resource 'https://graph.microsoft.com'");

        TimeSpan longest = TimeSpan.Zero;
        foreach ((string name, string stage) in new[]
        {
            ("the reply's first byte", "before-headers"), ("the body", "after-headers"), ("the rest of the body", "mid-body"),
        })
        {
            List<TimeSpan> times = Measure(session, round => new { kind = "hold", stage }, "held");
            Row(report, name, times);
            longest = longest > times.Max() ? longest : times.Max();
        }

        report.Note("Each stop also closed the connection: the sandbox saw it go before the next round began.");
        report.Limit(longest <= s_limit, $"no stop takes longer than {s_limit.TotalMilliseconds:n0} ms");
        return report.Finish();
    }

    private static List<TimeSpan> Measure(Session session, Func<int, object> action, string state)
    {
        var times = new List<TimeSpan>();
        for (int round = 0; round < Rounds; round++)
        {
            string id = $"stop-{round}";
            session.Send(HttpMethod.Post, "sandbox/faults", new
            {
                id,
                match = new { service = "login", method = "POST", pathContains = "/token" },
                times = -1,
                action = action(round),
            });
            using PowerShell shell = session.Shell("Get-SecureAppAccessToken -TenantId $sandbox.Tenants[0].TenantId -Resource 'https://graph.microsoft.com' -ForceRefresh -AppOnly");
            IAsyncResult running = shell.BeginInvoke();
            session.Get($"sandbox/holds/{id}?wait={state}&count=1&timeoutMs=30000");
            long start = Stopwatch.GetTimestamp();
            shell.Stop();
            times.Add(Stopwatch.GetElapsedTime(start));
            session.Get($"sandbox/holds/{id}?wait=closed&count=1&timeoutMs=30000");
            session.Send(HttpMethod.Delete, "sandbox/faults");
            try
            {
                shell.EndInvoke(running);
            }
            catch (PipelineStoppedException)
            {
                // The stop, as asked.
            }
        }

        return times;
    }

    private static void Row(Report report, string name, List<TimeSpan> times)
    {
        times.Sort();
        string Milliseconds(double part) =>
            times[(int)Math.Min(times.Count - 1, part * times.Count)].TotalMilliseconds.ToString("n1", CultureInfo.InvariantCulture) + " ms";
        report.Row(name, times.Count.ToString(CultureInfo.InvariantCulture), Milliseconds(0.5), Milliseconds(0.95), Milliseconds(1));
    }
}
