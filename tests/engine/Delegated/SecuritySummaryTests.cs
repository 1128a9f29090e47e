using System.Globalization;
using System.Management.Automation;
using System.Text.Json;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Get-DelegatedTenantSecuritySummary against the sandbox: its rows, its trend and its files.</summary>
public sealed class SecuritySummaryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "4", "--records", "0", "--page-size", "5");
    private readonly Engine _engine;

    public SecuritySummaryTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("folder", _folder);
    }

    [Fact]
    public void All_customers_are_in_a_row_each_that_agrees_with_the_other_two_commands()
    {
        Outcome outcome = _engine.Run("Get-DelegatedTenantSecuritySummary").Succeeded();
        ILookup<string, PSObject> scores = _engine.Run("Get-DelegatedTenant | Get-DelegatedTenantSecureScore").Succeeded().Output.ToLookup(Tenant);
        ILookup<string, PSObject> alerts = _engine.Run("Get-DelegatedTenant | Get-DelegatedTenantSecurityAlert -Status New, InProgress").Succeeded().Output.ToLookup(Tenant);

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => $"{tenant.TenantId} {tenant.DisplayName}").Order(),
            outcome.Output.Select(row => $"{Tenant(row)} {row.Properties["DisplayName"].Value}").Order());
        Assert.All(outcome.Output, row =>
        {
            PSObject score = Assert.Single(scores[Tenant(row)]);
            foreach (string name in new[] { "CurrentScore", "MaxScore", "Percentage", "AverageAllTenants", "AverageTotalSeats", "AverageIndustry" })
            {
                Assert.Equal(score.Properties[name].Value, row.Properties[name].Value);
            }

            string[] open = [.. alerts[Tenant(row)].Select(alert => (string)alert.Properties["Severity"].Value)];
            Assert.Equal(open.Length, Count(row, "OpenAlerts"));
            Assert.Equal(open.Count(severity => severity == "high"), Count(row, "HighAlerts"));
            Assert.Equal(open.Count(severity => severity == "medium"), Count(row, "MediumAlerts"));
            Assert.Equal(open.Count(severity => severity == "low"), Count(row, "LowAlerts"));
            Assert.Equal(open.Count(severity => severity == "informational"), Count(row, "InformationalAlerts"));
            Assert.Null(row.Properties["Reason"].Value);
            Assert.Null(row.Properties["Change7Days"].Value);
        });
        Assert.Contains(outcome.Output, row => Count(row, "OpenAlerts") > 0);
        string screen = _engine.Render("Get-DelegatedTenantSecuritySummary");
        Assert.Contains("30 days", screen);
        Assert.Contains(_sandbox.Facts.Tenants[0].DisplayName, screen);
    }

    [Fact]
    public void A_run_is_added_to_the_history_and_compared_with_a_week_and_a_month_ago()
    {
        string history = Path.Combine(_folder, "history");
        Directory.CreateDirectory(history);
        foreach ((int days, double percentage) in new[] { (60, 99.0), (31, 10.0), (8, 20.0), (6, 30.5) })
        {
            DateTime then = DateTime.UtcNow.AddDays(-days).AddHours(days == 6 ? -1 : 0);
            IEnumerable<string> lines = _sandbox.Facts.Tenants.Take(3).Select(tenant => JsonSerializer.Serialize(
                new { time = then.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), tenantId = tenant.TenantId, percentage }));
            File.WriteAllLines(Path.Combine(history, $"security-{then.ToString("yyyyMMddTHHmmssZ", CultureInfo.InvariantCulture)}.ndjson"), lines);
        }

        Outcome outcome = _engine.Run("Get-DelegatedTenantSecuritySummary -HistoryPath $folder/history").Succeeded();

        Assert.Empty(outcome.Warnings);
        string[] known = [.. _sandbox.Facts.Tenants.Take(3).Select(tenant => tenant.TenantId)];
        Assert.All(outcome.Output, row =>
        {
            double now = Number(row, "Percentage")!.Value;
            Assert.Equal(known.Contains(Tenant(row)) ? Math.Round(now - 30.5, 2) : (double?)null, Number(row, "Change7Days"));
            Assert.Equal(known.Contains(Tenant(row)) ? Math.Round(now - 10, 2) : (double?)null, Number(row, "Change30Days"));
        });

        Assert.Equal(5, Directory.GetFiles(history).Length);
        string added = Directory.GetFiles(history).Max(StringComparer.Ordinal)!;
        JsonNode[] facts = [.. File.ReadLines(added).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(4, facts.Length);
        Assert.All(facts, fact =>
        {
            PSObject row = Assert.Single(outcome.Output, row => Tenant(row) == fact["tenantId"]!.GetValue<string>());
            Assert.Equal(Number(row, "Percentage"), fact["percentage"]!.GetValue<double>());
            Assert.Equal(Count(row, "HighAlerts"), fact["openAlerts"]!["high"]!.GetValue<long>());
        });

        // The next run finds this one, which is too young to be compared with, and a damaged one, which it names.
        File.WriteAllText(Path.Combine(history, "security-20260101T000000Z.ndjson"), "too old to be read");
        File.AppendAllText(added, "half a li");
        Outcome again = _engine.Run("Get-DelegatedTenantSecuritySummary -HistoryPath $folder/history").Succeeded();
        Assert.Contains(Path.GetFileName(added), Assert.Single(again.Warnings));
        Assert.Equal(outcome.Output.Count, again.Output.Count);
    }

    [Fact]
    public void The_table_has_a_line_for_each_row_and_no_formula()
    {
        _engine.Run(
            """
            Get-DelegatedTenant | ForEach-Object { [pscustomobject]@{ TenantId = $_.TenantId; DisplayName = '=1+1, "{0}"' -f $_.DisplayName } } |
                Get-DelegatedTenantSecuritySummary -CsvPath $folder/security.csv
            """).Succeeded();

        byte[] bytes = File.ReadAllBytes(Path.Combine(_folder, "security.csv"));
        Assert.Equal(new byte[] { 0xEF, 0xBB, 0xBF }, bytes[..3]);
        string[] lines = File.ReadAllLines(Path.Combine(_folder, "security.csv"));
        Assert.StartsWith("TenantId,DisplayName,ScoreDateTime,CurrentScore,MaxScore,Percentage,", lines[0]);
        Assert.Equal(5, lines.Length);
        Assert.All(_sandbox.Facts.Tenants, tenant => Assert.Contains(lines, line => line.StartsWith($"{tenant.TenantId},\"'=1+1, \"\"{tenant.DisplayName}\"\"\",", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_customer_that_lacks_something_keeps_its_row_and_the_page_says_why()
    {
        SandboxTenant[] tenants = [.. _sandbox.Facts.Tenants];
        _sandbox.SetTenant(tenants[0].TenantId, new { defender = false });
        _sandbox.SetTenant(tenants[1].TenantId, new { consent = "missing" });
        _sandbox.AddFault(new
        {
            match = new { service = "graph", tenantId = tenants[2].TenantId, pathContains = "alerts_v2" },
            times = -1,
            action = new { kind = "status", status = 403, body = "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Missing application roles.\"}}" },
        });

        Outcome outcome = _engine.Run("Get-DelegatedTenantSecuritySummary -HtmlPath $folder/security.html");

        Assert.Equal(4, outcome.Output.Count);
        PSObject Row(int at) => Assert.Single(outcome.Output, row => Tenant(row) == tenants[at].TenantId);
        string Reason(int at) => (string)Row(at).Properties["Reason"].Value;
        Assert.Contains("no secure score", Reason(0));
        Assert.Contains("Microsoft Defender is not set up", Reason(0));
        Assert.Contains("AADSTS65001", Reason(1));
        Assert.Contains("SecurityAlert.Read.All", Reason(2));
        Assert.NotNull(Row(2).Properties["Percentage"].Value);
        Assert.Null(Row(2).Properties["OpenAlerts"].Value);
        Assert.Null(Row(3).Properties["Reason"].Value);

        // That a customer has no Defender is no error; that it cannot be asked is one.
        Assert.Equal(new[] { tenants[1].TenantId, tenants[2].TenantId }.Order(), outcome.Errors.Select(error => (string)error.TargetObject).Order());
        string page = File.ReadAllText(Path.Combine(_folder, "security.html"));
        Assert.Contains("AADSTS65001", page);
        Assert.All(tenants, tenant => Assert.Contains(tenant.TenantId, page));
    }

    [Fact]
    public void WhatIf_writes_nothing_and_sends_nothing_that_changes()
    {
        Outcome outcome = _engine.Run(
            "Get-DelegatedTenantSecuritySummary -HistoryPath $folder/history -CsvPath $folder/a.csv -HtmlPath $folder/a.html -WhatIf").Succeeded();

        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        Assert.Equal(4, outcome.Output.Count);
        foreach (string said in new[] { "Add this run to the history in", "Write the table", "Write the page" })
        {
            Assert.Contains(said, outcome.Screen);
        }

        Assert.All(_sandbox.Stats()["byPath"]!.AsObject(), entry => Assert.Matches("^GET |/oauth2/", entry.Key));
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_an_error_and_the_others_are_written()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "_a.csv.tmp"));

        Outcome outcome = _engine.Run("Get-DelegatedTenantSecuritySummary -HistoryPath $folder/history -CsvPath $folder/a.csv -HtmlPath $folder/a.html");

        Assert.Equal(4, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.Storage", error.FullyQualifiedErrorId);
        Assert.Contains("a.csv", error.Exception.Message);
        Assert.True(File.Exists(Path.Combine(_folder, "a.html")));
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "history")));
    }

    [Theory]
    [InlineData("-HtmlPath $folder", "is a folder")]
    [InlineData("-HtmlPath $folder/none/a.html", "does not exist")]
    [InlineData("-CsvPath $folder/a -HtmlPath $folder/a", "one file")]
    [InlineData("-HistoryPath ''", "-HistoryPath is empty")]
    [InlineData("-CsvPath Variable:a", "which holds no files")]
    [InlineData("-TenantId 'no tenant'", "neither a tenant id nor a domain")]
    public void Bad_input_ends_the_command_before_a_customer_is_asked(string parameters, string expected)
    {
        Outcome outcome = _engine.Run($"Get-DelegatedTenantSecuritySummary {parameters}");

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Empty(outcome.Output);
        Assert.DoesNotContain(_sandbox.Stats()["byPath"]!.AsObject(), entry => entry.Key.Contains("/security/", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Recorder.HearAndDelete(_folder);
    }

    private static string Tenant(PSObject item) => (string)item.Properties["TenantId"].Value;

    private static double? Number(PSObject item, string property) => (double?)item.Properties[property].Value;

    private static long Count(PSObject item, string property) => (long)item.Properties[property].Value;
}
