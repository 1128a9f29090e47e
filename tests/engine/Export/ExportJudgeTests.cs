using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>
/// One export on a day when everything goes wrong at once, judged by a program that is not this project's: a Python script
/// that reads the files and asks the sandbox what there is.
/// </summary>
public sealed class ExportJudgeTests : IDisposable
{
    private const int Tenants = 2;
    private const int Types = 4;
    private const int Days = 7;

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_record_is_in_the_files_once_whatever_goes_wrong_on_the_way()
    {
        Assert.SkipUnless(HasPython(), "The judge needs python3, which is not installed here.");
        using Sandbox sandbox = Sandbox.Start(
            "--tenants", "2", "--records", "4000", "--audit", "duplicates=0.05,late=0.01,growing=2,relisted=0.05,pageSize=2,recordsPerBlob=10");
        using Engine engine = Engine.Open().Join(sandbox);
        engine.Set("folder", _folder);
        object throttled = new
        {
            kind = "status",
            status = 403,
            contentType = "application/json; charset=utf-8",
            body = "{'error':{'code':'AF429','message':'Too many requests. Method=GetBlob, PublisherId=x'}}",
        };
        sandbox.AddFault(new object[]
        {
            new { match = new { service = "manage", pathContains = "/audit/" }, times = 4, skip = 3, action = throttled },
            new { match = new { service = "manage", pathContains = "/subscriptions/content" }, times = 3, skip = 20, action = throttled },
            new { match = new { service = "manage", pathContains = "/audit/" }, times = 4, skip = 20, action = new { kind = "truncate", bytes = 500, close = "clean" } },
            new { match = new { service = "manage", pathContains = "/audit/" }, times = 2, skip = 40, action = new { kind = "truncate", bytes = 500, close = "abort" } },
            new
            {
                match = new { service = "manage", pathContains = "/audit/" },
                times = 1,
                skip = 60,
                action = new { kind = "status", status = 401, body = """{"Message":"Authorization has been denied for this request."}""" },
            },
        });

        // The newest blobs grow after they were read first: they are read again once the settle delay is over.
        Outcome outcome = engine.Run(
            """
            $DebugPreference = 'Continue'
            $end = [datetime]::UtcNow.AddSeconds(-15)
            $sandbox.Tenants | Export-SecureAppAuditLog -Path $folder -StartTime $end.AddDays(-6.9) -EndTime $end -SettleDelay 00:01:05
            """).Succeeded();

        Assert.Equal(Tenants, outcome.Output.Count);
        Assert.All(outcome.Output, item => Assert.True((bool)item.Properties["Complete"].Value, $"{item.Properties["Reason"].Value}"));
        JsonObject judged = Judge(sandbox, outcome);
        Assert.All(judged, tenant => Assert.Empty(tenant.Value!["missing"]!.AsArray()));
        Assert.All(judged, tenant => Assert.Empty(tenant.Value!["tooOften"]!.AsArray()));
        Assert.Equal(
            outcome.Output.ToDictionary(item => (string)item.Properties["TenantId"].Value, item => (long)item.Properties["Records"].Value),
            judged.ToDictionary(tenant => tenant.Key, tenant => (long)tenant.Value!["records"]!));

        // Each of these did happen.
        Assert.All(outcome.Output, item => Assert.True((long)item.Properties["Duplicates"].Value > 0));
        Assert.Contains("HTTP 403", outcome.AllText);
        Assert.Contains("HTTP 401", outcome.AllText);
        long listed = sandbox.Stats()["byPath"]!.AsObject()
            .Where(path => path.Key.Contains("/subscriptions/content", StringComparison.Ordinal)).Sum(path => (long)path.Value!);
        Assert.True(listed >= 3 * Tenants * Types * Days, $"{listed} listings are less than three pages for each window");
    }

    private JsonObject Judge(Sandbox sandbox, Outcome outcome)
    {
        string Time(string name) =>
            ((DateTimeOffset)outcome.Output[0].Properties[name].Value).ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        string script = Path.Combine(Repository.Root, "tests", "judge", "audit_ids.py");
        (int exit, string output, string errors) = Within.Run(new ProcessStartInfo(
            "python3", [script, _folder, sandbox.Facts.Endpoints["manage"].TrimEnd('/'), sandbox.Facts.CertificatePath, Time("StartTime"), Time("EndTime")]));
        Assert.True(exit == 0, errors);
        return JsonNode.Parse(output)!.AsObject();
    }

    private static bool HasPython()
    {
        try
        {
            return Within.Run(new ProcessStartInfo("python3", ["-c", "import ssl"])).Exit == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
