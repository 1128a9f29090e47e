using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Bench;

/// <summary>The export through the cmdlet, each size in a process of its own, so that its peak memory is its own.</summary>
internal static class AuditBench
{
    private const int Tenants = 25;
    private const int MostGrowth = 32;

    public static int Run(params int[] sizes)
    {
        var report = new Report("audit", "The export of an audit log", "records", "bytes", "wall", "records/s", "CPU per record", "peak memory");
        var peaks = new List<double>();
        foreach (int size in sizes)
        {
            string program = Environment.ProcessPath!;
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            {
                start.ArgumentList.Add(typeof(AuditBench).Assembly.Location);
            }

            start.ArgumentList.Add("audit-export");
            start.ArgumentList.Add(size.ToString(CultureInfo.InvariantCulture));
            using Process child = Process.Start(start)!;
            string output = child.StandardOutput.ReadToEnd();
            child.WaitForExit();
            if (child.ExitCode != 0)
            {
                throw new InvalidOperationException($"The export of {size} records failed: {output}");
            }

            string[] row = output.Trim().Split('\t');
            report.Row(row);
            peaks.Add(double.Parse(row[^1].Split(' ')[0], NumberStyles.Number, CultureInfo.InvariantCulture));
        }

        report.Note($"{Tenants} tenants of uneven size, NDJSON, journal and manifest included. Peak memory is that of the whole process: engine, .NET and library.");
        if (sizes.Length > 1)
        {
            report.Limit(peaks[^1] - peaks[0] <= MostGrowth, $"the largest export takes at most {MostGrowth} MiB more than the smallest");
        }

        return report.Finish();
    }

    /// <summary>One export; writes its row, tab-separated, to standard output.</summary>
    public static int Export(int records)
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-bench-").FullName;
        try
        {
            using var session = new Session($"-TenantCount {Tenants} -AuditRecordCount {records}");
            IReadOnlyList<PSObject> results = [];
            (TimeSpan wall, TimeSpan cpu) = Report.Measure(() => results = session.Invoke(
                """
                param($path)
                $sandbox.Tenants | Export-SecureAppAuditLog -Path $path -StartTime ([datetime]::UtcNow.AddDays(-7).AddMinutes(5)) -EndTime ([datetime]::UtcNow.AddMinutes(-10))
                """,
                folder));
            long written = results.Sum(result => Convert.ToInt64(result.Properties["Records"].Value, CultureInfo.InvariantCulture));
            long bytes = results.Sum(result => Convert.ToInt64(result.Properties["Bytes"].Value, CultureInfo.InvariantCulture));
            if (written == 0 || results.Any(result => !(bool)result.Properties["Complete"].Value))
            {
                Console.WriteLine($"{written} records, not complete: {results.FirstOrDefault(result => !(bool)result.Properties["Complete"].Value)?.Properties["Reason"].Value}");
                return 1;
            }

            Console.WriteLine(string.Join(
                '\t',
                written.ToString("n0", CultureInfo.InvariantCulture),
                (bytes / 1e6).ToString("n0", CultureInfo.InvariantCulture) + " MB",
                wall.TotalSeconds.ToString("n1", CultureInfo.InvariantCulture) + " s",
                (written / wall.TotalSeconds).ToString("n0", CultureInfo.InvariantCulture),
                (cpu.TotalMicroseconds / written).ToString("n1", CultureInfo.InvariantCulture) + " us",
                (PeakBytes() / 1048576.0).ToString("n0", CultureInfo.InvariantCulture) + " MiB"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static long PeakBytes()
    {
        using Process process = Process.GetCurrentProcess();
        process.Refresh();
        return process.PeakWorkingSet64;
    }
}
