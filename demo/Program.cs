using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Microsoft.PowerShell;
using SecureAppModel.Demo;

const int TenantCount = 25;
const int AuditRecordCount = 12_000;

Dictionary<string, string?> facts = typeof(ConsoleHost).Assembly
    .GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(fact => fact.Key, fact => fact.Value, StringComparer.Ordinal);
string root = Path.GetFullPath(facts["RepositoryRoot"]!);
string manifest = Path.Combine(facts["StagedModule"]!, "SecureAppModel.psd1");
string folder = Path.Combine(root, "out", "demo", DateTime.UtcNow.ToString("yyyyMMdd-HHmmss"));

InitialSessionState state = InitialSessionState.CreateDefault2();
if (OperatingSystem.IsWindows())
{
    state.ExecutionPolicy = ExecutionPolicy.Bypass;
}

var host = new ConsoleHost();
using Runspace runspace = RunspaceFactory.CreateRunspace(host, state);
runspace.Open();
var session = new Session(runspace, host);
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    session.Stop();
};

Console.WriteLine($"SecureAppModel {Path.GetFileName(Path.GetDirectoryName(manifest))} in the PowerShell {EngineVersion()} engine, against its own sandbox:");
Console.WriteLine($"a made-up partner with {TenantCount} customers and {AuditRecordCount:n0} audit records.");
string crates = Path.Combine(root, ".crates", "source");
if (File.Exists(crates))
{
    Console.WriteLine($"The native library was built {File.ReadAllText(crates).Trim()}.");
}

Console.WriteLine();
try
{
    session.Run(Script("prepare.ps1"), manifest, TenantCount, AuditRecordCount);
    session.Run(Script("demo.ps1"), folder);
    Console.WriteLine();
    Console.WriteLine("5. The same totals, recomputed from the files and asked of the sandbox itself");
    IReadOnlyList<Check> checks = Checker.Compare((PSObject)session.Get("sandbox")!, session.Get("exports"));
    session.Show(checks);
    int wrong = checks.Count(check => !check.Same);
    long records = checks.Sum(check => check.InFiles);
    Console.WriteLine(
        wrong == 0
            ? $"All {checks.Count} customers agree: {records:n0} records, each once."
            : $"{wrong} of {checks.Count} customers differ: the export is not what the sandbox has.");
    Console.WriteLine();
    Console.WriteLine("The files:");
    foreach (string path in Directory.EnumerateFiles(folder, "manifest.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
    {
        int parts = Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "part-*", SearchOption.AllDirectories).Count();
        Console.WriteLine($"{path} and {parts} parts beside it");
    }

    return wrong == 0 && checks.Count >= TenantCount ? 0 : 1;
}
catch (PipelineStoppedException)
{
    Console.WriteLine("Stopped.");
    return 130;
}
catch (RuntimeException error)
{
    Console.Error.WriteLine($"The demo failed: {error.ErrorRecord.Exception.Message}");
    Console.Error.WriteLine(error.ErrorRecord.ScriptStackTrace);
    return 1;
}
finally
{
    session.End();
}

string Script(string name) => Path.Combine(root, "demo", name);

static string EngineVersion() =>
    typeof(PSObject).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split(' ', '+')[0];
