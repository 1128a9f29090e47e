using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SecureAppModel.Bench;

/// <summary>1,000 tenants x 2 resources at 100 ms latency: one pipeline of ours beside a loop that asks one by one.</summary>
internal static class TokensBench
{
    private const int Tenants = 1_000;
    private const int Sampled = 100;
    private const double LeastFactor = 30;
    private static readonly string[] s_resources = ["https://graph.microsoft.com", "https://manage.office.com"];

    public static int Run()
    {
        using var session = new Session($"-TenantCount {Tenants} -AuditRecordCount {Tenants} -LatencyMilliseconds 100");
        string[] tenants = [.. session.Invoke("$sandbox.Tenants.TenantId").Select(id => id.ToString())];
        var report = new Report("tokens", "2,000 tokens at 100 ms latency", "what", "tokens", "wall", "tokens/s", "CPU per token");

        // The first token of a process also loads the library and connects; one outside the measurement does that.
        session.Invoke("Get-SecureAppAccessToken -TenantId $sandbox.PartnerTenantId -Resource 'https://graph.microsoft.com'");
        session.Send(HttpMethod.Post, "sandbox/stats/reset");
        int got = 0;
        (TimeSpan wall, TimeSpan cpu) ours = Report.Measure(() => got = session.Invoke(
            "param($tenants, $resources) $tenants | Get-SecureAppAccessToken -Resource $resources", tenants, s_resources).Count);
        Row(report, "one pipeline", got, ours);
        int[] counts = [.. session.Get("sandbox/stats")["tokens"]!.AsArray().Select(token => (int)token!["count"]!)];

        (TimeSpan wall, TimeSpan cpu) cached = Report.Measure(() => session.Invoke(
            "param($tenants, $resources) $tenants | Get-SecureAppAccessToken -Resource $resources", tenants, s_resources));
        Row(report, "the same again, from the cache", got, cached);

        session.Invoke("Clear-SecureAppTokenCache -Confirm:$false");
        (TimeSpan wall, TimeSpan cpu) more = Report.Measure(() => session.Invoke(
            "param($tenants, $resources) $tenants | Get-SecureAppAccessToken -Resource $resources -ThrottleLimit 256", tenants, s_resources));
        Row(report, "one pipeline, -ThrottleLimit 256", got, more);

        (TimeSpan wall, TimeSpan cpu) loop = Report.Measure(() => Loop(session, tenants.Take(Sampled / s_resources.Length)));
        Row(report, $"one-by-one loop, {Sampled} of them", Sampled, loop);
        double factor = (double)Tenants * s_resources.Length / Sampled;
        Row(report, "the loop for all, extrapolated", Tenants * s_resources.Length, (loop.wall * factor, loop.cpu * factor));

        double faster = loop.wall * factor / ours.wall;
        report.Note($"One pipeline is {faster:n0} times as fast as the loop.");
        report.Limit(faster >= LeastFactor, $"one pipeline is at least {LeastFactor:n0} times as fast as the loop");
        report.Note(
            $"The loop stands in for a pasted function: it opens an HttpClient for each call, as Invoke-RestMethod does, and waits for "
            + $"each answer; it is compiled code, so a script is slower. {Sampled} calls were measured and multiplied by {factor:n0}.");
        report.Note($"The sandbox counted {counts.Length} different questions, each asked {counts.Min()} to {counts.Max()} times.");
        return Math.Max(report.Finish(), TokenCpuBench.Run());
    }

    private static void Row(Report report, string what, int tokens, (TimeSpan Wall, TimeSpan Cpu) time) => report.Row(
        what,
        tokens.ToString("n0", CultureInfo.InvariantCulture),
        time.Wall.TotalSeconds.ToString("n2", CultureInfo.InvariantCulture) + " s",
        (tokens / time.Wall.TotalSeconds).ToString("n0", CultureInfo.InvariantCulture),
        (time.Cpu.TotalMicroseconds / tokens).ToString("n0", CultureInfo.InvariantCulture) + " us");

    private static void Loop(Session session, IEnumerable<string> tenants)
    {
        foreach (string tenant in tenants)
        {
            foreach (string resource in s_resources)
            {
                using var http = new HttpClient(Session.Trusting(session.Text("CertificatePath")));
                using var body = new FormUrlEncodedContent(new Dictionary<string, string>
                {
                    ["grant_type"] = "refresh_token",
                    ["client_id"] = session.Text("ApplicationId"),
                    ["client_secret"] = session.Text("Secret"),
                    ["refresh_token"] = session.Text("RefreshToken"),
                    ["resource"] = resource,
                });
                using HttpResponseMessage answer = http.PostAsync($"{session.Endpoint("Login")}/{tenant}/oauth2/token", body).GetAwaiter().GetResult();
                string text = answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync().GetAwaiter().GetResult();
                _ = JsonNode.Parse(text)?["access_token"]?.GetValue<string>() ?? throw new JsonException("The answer has no token.");
            }
        }
    }
}
