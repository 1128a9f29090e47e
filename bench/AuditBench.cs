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

    /// <summary>How often what is compared is measured, in turns: a machine is not as fast at one time as at another.</summary>
    private const int Rounds = 3;

    private const int MostGrowth = 32;
    private const int MostGrowthOfMillions = 64;
    private const double LeastOfPeer = 4;
    private const double LeastOfScript = 200;
    private const double LeastOfDownload = 0.6;
    private const string CoreProgram = "audit_cpu";
    private const string Export = "the export";
    private const string CoreAlone = "the export, the core alone";
    private const string BareClient = "the bare client, what comes is dropped";
    private const string Download = "only the download, 16 at once";
    private const string Loop = "HttpClient and System.Text.Json, one by one";
    private const string Parallel = "the same, 16 at once";

    public static int Run()
    {
        var report = new Report("audit", "The export of an audit log", "what", "transfer", "records", "bytes", "wall", "records/s", "CPU per record", "peak memory");
        using var scratch = new Scratch();
        AuditWay.Result Row(string title, AuditWay.Setup setup, int times = 1) =>
            Write(report, title, setup.Gzip, [.. Enumerable.Range(0, times).Select(_ => Measure(setup, scratch))]);
        bool hasCore = OperatingSystem.IsLinux();
        if (hasCore)
        {
            CoreExample.Build(CoreProgram);
        }

        AuditWay.Result small = Row(Export, new("export", Small, Gzip: true), Rounds);
        Turns usual = InTurns(report, gzip: true, scratch);
        AuditWay.Result large = Row(Export, new("export", Large, Gzip: true));
        AuditWay.Result blobs = Row("the export, blobs of 60 MB", new("export", Small, Gzip: true, RecordsPerBlob: 45_000));
        Row("the export, into .gz files", new("compressed", Usual, Gzip: true));
        AuditWay.Result script = Row("a script: objects, Export-Csv", new("script", Scripted, Gzip: true), Rounds);
        Turns plain = InTurns(report, gzip: false, scratch);
        Row("only writing as many bytes", new("write", Usual, Gzip: false));
        if (hasCore)
        {
            Write(report, CoreAlone, gzip: true, [Core("export", gzip: true, Small, scratch).Single().Result]);
            Write(report, CoreAlone, gzip: true, [Core("export", gzip: true, Large, scratch).Single().Result]);
            Steps(report, gzip: true, usual, scratch);
            Steps(report, gzip: false, plain, scratch);
        }

        report.Note(
            "25 tenants of uneven size, 5% of the records delivered twice; NDJSON with journal, manifest and hashes. The .NET programs skip "
            + "repeats by a set of ids and write the same lines, without anything that would survive a fault. Peak memory is that of the "
            + "whole process: PowerShell's engine and .NET are in each.");
        report.Note(
            "Wall clock times hold the sandbox's own work, which makes and compresses the records on the same two cores. What is compared "
            + $"was measured {Rounds} times in turns: each number of its rows is a median, and so are the ratios, of those of each turn. Every "
            + ".NET process did the same with a thousand records before it was measured. What a measurement wrote is emptied at once and deleted "
            + "at the end: some file systems are slow to create files just after many were deleted.");
        report.Note(
            "The core alone is the export as the module starts it, in a program without .NET; the bare client is that program's HTTP client, which "
            + "drops what comes; the steps are those over the same bytes on one thread. The client and the steps are what an export cannot leave out.");
        report.Limit(large.PeakMebibytes - small.PeakMebibytes <= MostGrowthOfMillions, $"{Large:n0} records take at most {MostGrowthOfMillions} MiB more than {Small:n0}");
        report.Limit(usual.Row(Export).PeakMebibytes - small.PeakMebibytes <= MostGrowth, $"{Usual:n0} records take at most {MostGrowth} MiB more than {Small:n0}");
        report.Limit(blobs.PeakMebibytes - small.PeakMebibytes <= MostGrowth, $"blobs of 60 MB take at most {MostGrowth} MiB more than small ones");
        Beside(report, "gzip", usual);
        Beside(report, "plain", plain);
        double scripts = script.CpuMicroseconds / usual.Row(Export).CpuMicroseconds;
        report.Goal(scripts >= LeastOfScript, $"{scripts:n0} times the script's records per CPU second", $"{LeastOfScript:n0} times");
        return report.Finish();
    }

    /// <summary>What was measured in turns: the results of each way, and its row.</summary>
    private sealed class Turns
    {
        private readonly Dictionary<string, (AuditWay.Result[] Results, AuditWay.Result Row)> _ways = [];

        public IEnumerable<string> Ways => _ways.Keys;

        public void Add(string way, AuditWay.Result[] results, AuditWay.Result row) => _ways.Add(way, (results, row));

        public AuditWay.Result Row(string way) => _ways[way].Row;

        /// <summary>The median of a ratio of two results of one turn.</summary>
        public double Ratio(string one, string other, Func<AuditWay.Result, AuditWay.Result, double> ratio) =>
            Median(_ways[one].Results.Zip(_ways[other].Results, ratio));
    }

    /// <summary>Measures the export and what it is compared with, each turn in another order.</summary>
    private static Turns InTurns(Report report, bool gzip, Scratch scratch)
    {
        List<(string Title, Func<AuditWay.Result> Measure)> ways =
        [
            (Export, () => Measure(new("export", Usual, gzip), scratch)),
            (Download, () => Measure(new("download", Usual, gzip), scratch)),
            (Loop, () => Measure(new("loop", Usual, gzip), scratch)),
            (Parallel, () => Measure(new("parallel", Usual, gzip), scratch)),
        ];
        // Elsewhere a process cannot be asked for its own account.
        if (OperatingSystem.IsLinux())
        {
            ways.Insert(1, (BareClient, () => Core("download", gzip, Usual, scratch).Single().Result));
            ways.Insert(2, (CoreAlone, () => Core("export", gzip, Usual, scratch).Single().Result));
        }

        AuditWay.Result[][] results = [.. ways.Select(_ => new AuditWay.Result[Rounds])];
        for (int round = 0; round < Rounds; round++)
        {
            for (int step = 0; step < ways.Count; step++)
            {
                int way = (round + step) % ways.Count;
                results[way][round] = ways[way].Measure();
            }
        }

        var turns = new Turns();
        for (int way = 0; way < ways.Count; way++)
        {
            turns.Add(ways[way].Title, results[way], Write(report, ways[way].Title, gzip, results[way]));
        }

        return turns;
    }

    private static double Median(IEnumerable<double> numbers)
    {
        double[] sorted = [.. numbers.Order()];
        return sorted[sorted.Length / 2];
    }

    private static string Transfer(bool gzip) => gzip ? "gzip" : "plain";

    /// <summary>What the core's own program measures in one way.</summary>
    private static List<(string What, AuditWay.Result Result)> Core(string way, bool gzip, int records, Scratch scratch)
    {
        List<(string What, AuditWay.Result Result)> rows = [];
        foreach (string[] cells in CoreExample.Run(CoreProgram, scratch.Folder, "--child", way, Transfer(gzip), records.ToString(CultureInfo.InvariantCulture)))
        {
            double Number(int cell) => double.Parse(cells[cell], CultureInfo.InvariantCulture);
            rows.Add((cells[0], new AuditWay.Result(
                (long)Number(2), (long)Number(3), Number(4), Number(5) * Number(2) / 1e6, cells[6].Length == 0 ? 0 : (long)Number(6))));
        }

        scratch.Empty();
        return rows;
    }

    /// <summary>The steps alone, and what those that cannot be left out take, beside what the aim would allow.</summary>
    private static void Steps(Report report, bool gzip, Turns turns, Scratch scratch)
    {
        double floor = turns.Row(BareClient).CpuMicroseconds;
        foreach ((string what, AuditWay.Result result) in Core("steps", gzip, Usual, scratch))
        {
            Write(report, what, gzip, [result]);
            // Cutting could be done in other ways.
            floor += what.StartsWith("cutting", StringComparison.Ordinal) ? 0 : result.CpuMicroseconds;
        }

        double peer = Math.Min(turns.Row(Loop).CpuMicroseconds, turns.Row(Parallel).CpuMicroseconds);
        report.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"Floor: {Transfer(gzip)}: download{(gzip ? ", unpacking" : "")}, hash and writing take {floor:n1} us of a record before any of it is "
            + $"looked at; {LeastOfPeer:n0} times the .NET program would be {peer / LeastOfPeer:n1} us."));
    }

    /// <summary>Writes a row of the medians of results; gives it.</summary>
    private static AuditWay.Result Write(Report report, string title, bool gzip, AuditWay.Result[] results)
    {
        AuditWay.Result row = results[0] with
        {
            Wall = Median(results.Select(result => result.Wall)),
            Cpu = Median(results.Select(result => result.Cpu)),
            Peak = (long)Median(results.Select(result => (double)result.Peak)),
        };
        report.Row(
            title,
            Transfer(gzip),
            row.Records.ToString("n0", CultureInfo.InvariantCulture),
            (row.Bytes / 1e6).ToString("n0", CultureInfo.InvariantCulture) + " MB",
            row.Wall.ToString("n1", CultureInfo.InvariantCulture) + " s",
            row.Rate.ToString("n0", CultureInfo.InvariantCulture),
            row.CpuMicroseconds.ToString("n1", CultureInfo.InvariantCulture) + " us",
            row.Peak == 0 ? "" : row.PeakMebibytes.ToString("n0", CultureInfo.InvariantCulture) + " MiB");
        return row;
    }

    private static void Beside(Report report, string transfer, Turns turns)
    {
        double peer = Math.Min(
            turns.Ratio(Loop, Export, (theirs, ours) => theirs.CpuMicroseconds / ours.CpuMicroseconds),
            turns.Ratio(Parallel, Export, (theirs, ours) => theirs.CpuMicroseconds / ours.CpuMicroseconds));
        report.Goal(peer >= LeastOfPeer, $"{transfer}: {peer:n1} times the .NET program's records per CPU second", $"{LeastOfPeer:n0} times");
        double Share(string download) => turns.Ratio(Export, download, (ours, theirs) => ours.Rate / theirs.Rate);
        string fastest = turns.Ways.Contains(BareClient) ? BareClient : Download;
        report.Goal(Share(fastest) >= LeastOfDownload, $"{transfer}: {Share(fastest):p0} of the rate of a bare download", $"{LeastOfDownload:p0}");
        if (fastest != Download)
        {
            report.Note($"{transfer}: {Share(Download):p0} of the rate of .NET's download alone.");
        }
    }

    private static AuditWay.Result Measure(AuditWay.Setup setup, Scratch scratch)
    {
        string program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(AuditBench).Assembly.Location);
        }

        start.ArgumentList.Add("audit-way");
        start.ArgumentList.Add(JsonSerializer.Serialize(setup));
        start.ArgumentList.Add(scratch.Folder);
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        scratch.Empty();
        return child.ExitCode == 0
            ? JsonSerializer.Deserialize<AuditWay.Result>(output)!
            : throw new InvalidOperationException($"{setup} failed: {output}");
    }
}
