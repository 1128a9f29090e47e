using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace SecureAppModel.Bench;

/// <summary>
/// The export beside what else could be done with the same records: each way in a process of its own, with a sandbox of
/// its own that has the same seed, so that processor time and peak memory are the way's own.
/// </summary>
internal static class AuditBench
{
    private const int Small = 100_000;
    private const int Usual = 1_000_000;
    private const int Large = 5_000_000;

    /// <summary>A script takes so long for a record that a few are enough to know it.</summary>
    private const int Scripted = 10_000;

    private const int MostGrowth = 32;
    private const int MostGrowthOfMillions = 64;
    private const double LeastOfPeer = 4;
    private const double LeastOfScript = 200;
    private const double LeastOfDownload = 0.6;
    private const string BareClient = "the bare client, what comes is dropped";

    public static int Run()
    {
        var report = new Report("audit", "The export of an audit log", "what", "transfer", "records", "bytes", "wall", "records/s", "CPU per record", "peak memory");
        AuditWay.Result Row(string title, AuditWay.Setup setup)
        {
            AuditWay.Result result = Measure(setup);
            Write(report, title, setup.Gzip ? "gzip" : "plain", result);
            return result;
        }

        AuditWay.Result small = Row("the export", new("export", Small, Gzip: true));
        AuditWay.Result usual = Row("the export", new("export", Usual, Gzip: true));
        AuditWay.Result large = Row("the export", new("export", Large, Gzip: true));
        AuditWay.Result blobs = Row("the export, blobs of 60 MB", new("export", Small, Gzip: true, RecordsPerBlob: 45_000));
        Row("the export, into .gz files", new("compressed", Usual, Gzip: true));
        AuditWay.Result loop = Row("HttpClient and System.Text.Json, one by one", new("loop", Usual, Gzip: true));
        AuditWay.Result parallel = Row("the same, 16 at once", new("parallel", Usual, Gzip: true));
        AuditWay.Result script = Row("a script: objects, Export-Csv", new("script", Scripted, Gzip: true));
        AuditWay.Result download = Row("only the download, 16 at once", new("download", Usual, Gzip: true));

        AuditWay.Result plain = Row("the export", new("export", Usual, Gzip: false));
        AuditWay.Result plainLoop = Row("HttpClient and System.Text.Json, one by one", new("loop", Usual, Gzip: false));
        AuditWay.Result plainParallel = Row("the same, 16 at once", new("parallel", Usual, Gzip: false));
        AuditWay.Result plainDownload = Row("only the download, 16 at once", new("download", Usual, Gzip: false));
        Row("only writing as many bytes", new("write", Usual, Gzip: false));
        Dictionary<(string What, string Transfer), AuditWay.Result> core = Core(report);

        report.Note(
            "25 tenants of uneven size, 5% of the records delivered twice; NDJSON with journal, manifest and hashes. The .NET programs skip "
            + "repeats by a set of ids and write the same lines, without anything that would survive a fault. Peak memory is that of the "
            + "whole process: PowerShell's engine and .NET are in each.");
        report.Note("Wall clock times hold the sandbox's own work, which makes and compresses the records on the same two cores.");
        report.Note(
            "The last rows are of programs without .NET: the core as the module starts it; its HTTP client alone, which drops what comes; and "
            + "each step over the same bytes on one thread. The client and the steps are what an export cannot leave out.");
        report.Limit(large.PeakMebibytes - small.PeakMebibytes <= MostGrowthOfMillions, $"{Large:n0} records take at most {MostGrowthOfMillions} MiB more than {Small:n0}");
        report.Limit(usual.PeakMebibytes - small.PeakMebibytes <= MostGrowth, $"{Usual:n0} records take at most {MostGrowth} MiB more than {Small:n0}");
        report.Limit(blobs.PeakMebibytes - small.PeakMebibytes <= MostGrowth, $"blobs of 60 MB take at most {MostGrowth} MiB more than small ones");
        Beside(report, "gzip", usual, loop, parallel, Fastest(core, "gzip", download));
        Beside(report, "plain", plain, plainLoop, plainParallel, Fastest(core, "plain", plainDownload));
        double scripts = script.CpuMicroseconds / usual.CpuMicroseconds;
        report.Goal(scripts >= LeastOfScript, $"{scripts:n0} times the script's records per CPU second", $"{LeastOfScript:n0} times");
        Floor(report, "gzip", core, Math.Min(loop.CpuMicroseconds, parallel.CpuMicroseconds));
        Floor(report, "plain", core, Math.Min(plainLoop.CpuMicroseconds, plainParallel.CpuMicroseconds));
        return report.Finish();
    }

    /// <summary>The rows of the core alone and of its parts; on Linux only, where a process can be asked for its own account.</summary>
    private static Dictionary<(string What, string Transfer), AuditWay.Result> Core(Report report)
    {
        Dictionary<(string What, string Transfer), AuditWay.Result> rows = [];
        if (!OperatingSystem.IsLinux())
        {
            return rows;
        }

        int[] sizes = [Usual, Small, Large];
        foreach (string[] cells in CoreExample.Run("audit_cpu", [.. sizes.Select(size => size.ToString(CultureInfo.InvariantCulture))]).Skip(1))
        {
            double Number(int cell) => double.Parse(cells[cell], CultureInfo.InvariantCulture);
            var result = new AuditWay.Result(
                (long)Number(2), (long)Number(3), Number(4), Number(5) * Number(2) / 1e6, cells[6].Length == 0 ? 0 : (long)Number(6));
            Write(report, cells[0], cells[1], result);
            rows.TryAdd((cells[0], cells[1]), result);
        }

        return rows;
    }

    /// <summary>Records a second of the faster of two programs that download and drop what comes.</summary>
    private static double Fastest(Dictionary<(string What, string Transfer), AuditWay.Result> core, string transfer, AuditWay.Result download) =>
        core.TryGetValue((BareClient, transfer), out AuditWay.Result? bare) ? Math.Max(bare.Rate, download.Rate) : download.Rate;

    /// <summary>What the parts that cannot be left out take, beside what the aim would allow.</summary>
    private static void Floor(Report report, string transfer, Dictionary<(string What, string Transfer), AuditWay.Result> core, double peer)
    {
        string[] parts = [BareClient, "unpacking alone", "SHA-256 alone", "writing alone"];
        double[] times = [.. parts.Where(part => core.ContainsKey((part, transfer))).Select(part => core[(part, transfer)].CpuMicroseconds)];
        if (times.Length > 0)
        {
            report.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"Floor: {transfer}: download{(transfer == "gzip" ? ", unpacking" : "")}, hash and writing take {times.Sum():n1} us of a record before any of it is "
                + $"looked at; {LeastOfPeer:n0} times the .NET program would be {peer / LeastOfPeer:n1} us."));
        }
    }

    private static void Write(Report report, string title, string transfer, AuditWay.Result result) => report.Row(
        title,
        transfer,
        result.Records.ToString("n0", CultureInfo.InvariantCulture),
        (result.Bytes / 1e6).ToString("n0", CultureInfo.InvariantCulture) + " MB",
        result.Wall.ToString("n1", CultureInfo.InvariantCulture) + " s",
        result.Rate.ToString("n0", CultureInfo.InvariantCulture),
        result.CpuMicroseconds.ToString("n1", CultureInfo.InvariantCulture) + " us",
        result.Peak == 0 ? "" : result.PeakMebibytes.ToString("n0", CultureInfo.InvariantCulture) + " MiB");

    private static void Beside(Report report, string transfer, AuditWay.Result ours, AuditWay.Result loop, AuditWay.Result parallel, double download)
    {
        double peer = Math.Min(loop.CpuMicroseconds, parallel.CpuMicroseconds) / ours.CpuMicroseconds;
        report.Goal(peer >= LeastOfPeer, $"{transfer}: {peer:n1} times the .NET program's records per CPU second", $"{LeastOfPeer:n0} times");
        double share = ours.Rate / download;
        report.Goal(share >= LeastOfDownload, $"{transfer}: {share:p0} of the rate of the faster download alone", $"{LeastOfDownload:p0}");
    }

    private static AuditWay.Result Measure(AuditWay.Setup setup)
    {
        string program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(AuditBench).Assembly.Location);
        }

        start.ArgumentList.Add("audit-way");
        start.ArgumentList.Add(JsonSerializer.Serialize(setup));
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0
            ? JsonSerializer.Deserialize<AuditWay.Result>(output)!
            : throw new InvalidOperationException($"{setup} failed: {output}");
    }
}
