using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>
/// A scheduled script as administrators have it: connect with a certificate, search the month in a session until nothing
/// comes, append to a CSV file, mail that. Only its connect line and the names of the search and of the mail command are changed.
/// </summary>
public sealed class MonthlyScriptTests : IDisposable
{
    private const string Connect = "Connect-ExchangeOnline -CertificateFilePath $pfx -CertificatePassword $password -AppID $appId -Organization $organization";

    private const string Script =
        $$"""
        {{Connect}}
        $outputFile = "$folder/AuditLogRecords.csv"
        $resultSize = 5000
        $total = 0
        $sessionID = [Guid]::NewGuid().ToString() + "_" + "ExtractLogs" + [datetime]::Now.ToString("yyyyMMddHHmmssfff")
        do {
            $results = Search-UnifiedAuditLog -StartDate $start -EndDate $end -SessionId $sessionID -SessionCommand ReturnLargeSet -ResultSize $resultSize
            if (($results | Measure-Object).Count -ne 0) {
                $results | Export-Csv -Path $outputFile -Append -NoTypeInformation
                $total += $results.Count
            }
        } while (($results | Measure-Object).Count -ne 0)
        Send-MailMessage -From $from -To $to -Subject "Audit log from $($start.ToString('yyyy-MM-dd'))" -Body "$total records." -Attachments $outputFile -SmtpServer smtp.contoso.example -Port 587 -UseSsl
        $total
        """;

    /// <summary>What the engine of these tests does not have: the columns of the first object, every value quoted.</summary>
    private const string StandIns =
        """
        function Measure-Object { begin { $count = 0 } process { $count++ } end { [pscustomobject]@{ Count = $count } } }
        function Export-Csv([string] $Path, [switch] $Append, [switch] $NoTypeInformation) {
            begin { $lines = [System.Collections.Generic.List[string]]::new(); $columns = $null }
            process {
                if (-not $columns) {
                    $columns = @($_.PSObject.Properties.Name)
                    if (-not [System.IO.File]::Exists($Path)) { $lines.Add('"' + ($columns -join '","') + '"') }
                }
                $row = $_
                $lines.Add((@($columns | ForEach-Object { '"' + "$($row.$_)".Replace('"', '""') + '"' }) -join ','))
            }
            end { [System.IO.File]::AppendAllLines($Path, $lines) }
        }
        """;

    private static readonly DateTimeOffset s_end = new(DateTimeOffset.UtcNow.Year, DateTimeOffset.UtcNow.Month, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_start = s_end.AddMonths(-1);

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    [Theory]
    [InlineData("total")]
    [InlineData("resultSize")]
    [InlineData("zero")]
    public void It_runs_to_its_end_and_the_months_export_has_all_that_it_has_and_all_that_it_lost(string resultCount)
    {
        using Sandbox sandbox = Sandbox.Start(
            "--tenants", "1",
            "--records", "3000",
            "--audit", "late=0",
            "--audit", $"startTime={s_start:yyyy-MM-dd}T00:00:00Z",
            "--audit", $"endTime={s_end.AddDays(1):yyyy-MM-dd}T00:00:00Z");
        // As with a larger month in the service, a session ends before the month does.
        sandbox.Send(HttpMethod.Post, "sandbox/exchange", new { resultCount, sessionLimit = 2000, repeats = 0.02 });
        using Engine engine = Engine.Open().Join(sandbox);
        engine.Set("folder", _folder);
        engine.Set("start", s_start.UtcDateTime);
        engine.Set("end", s_end.UtcDateTime);
        engine.Set("from", "admin@" + sandbox.Facts.Tenants[0].DefaultDomainName);
        engine.Set("to", new[] { "auditor@contoso.example" });
        engine.Run("$pfx = $sandbox.CertificatePfxPath; $password = ConvertTo-Secret $sandbox.CertificatePfxPassword; $appId = $sandbox.ApplicationId; $organization = $customer").Succeeded();

        string changed = Script
            .Replace(Connect, "Set-SecureAppDefault -Credential (New-SecureAppCredential $appId -CertificatePath $pfx -CertificatePassword $password -TenantId $organization)", StringComparison.Ordinal)
            .Replace("Search-UnifiedAuditLog", "Search-SecureAppUnifiedAuditLog", StringComparison.Ordinal)
            .Replace("Send-MailMessage", "Send-SecureAppMailMessage", StringComparison.Ordinal);
        int total = engine.Run(StandIns + changed).Succeeded().Single<int>();
        string[] lines = File.ReadAllLines(Path.Combine(_folder, "AuditLogRecords.csv"));
        Assert.StartsWith("\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\",\"IsValid\",\"ObjectState\"", lines[0]);
        Assert.Equal(total, lines.Length - 1);
        HashSet<string> script = [.. lines.Skip(1).Select(line => Regex.Match(line, "\"([^\"]+)\",\"True\",\"Unchanged\"").Groups[1].Value)];

        engine.Run("Export-SecureAppAuditLog $customer \"$folder/audit\" -Month $start -SettleDelay 0 -FailOnGap").Succeeded();

        HashSet<string> export = [.. Directory
            .EnumerateFiles(_folder, "*.ndjson", SearchOption.AllDirectories)
            .SelectMany(File.ReadLines)
            .Select(line => (string)JsonNode.Parse(line)!["Id"]!)];
        IReadOnlyList<string> truth = sandbox.EventIds(s_start, s_end);
        Assert.Equal(truth, export.Order(StringComparer.Ordinal));
        Assert.ProperSubset(export, script);
        Assert.InRange(script.Count, 1500, 2000);

        JsonNode sent = Assert.Single(JsonNode.Parse(sandbox.Send(HttpMethod.Get, "sandbox/mail", null))!["sent"]!.AsArray())!;
        Assert.Equal($"{total} records.", (string)sent["message"]!["body"]!["content"]!);
        JsonNode attached = Assert.Single(sent["attachments"]!.AsArray())!;
        byte[] file = File.ReadAllBytes(Path.Combine(_folder, "AuditLogRecords.csv"));
        Assert.Equal(("AuditLogRecords.csv", Convert.ToHexStringLower(SHA256.HashData(file))), ((string)attached["name"]!, (string)attached["sha256"]!));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
