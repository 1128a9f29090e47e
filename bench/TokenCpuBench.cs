using System.Globalization;

namespace SecureAppModel.Bench;

/// <summary>
/// Processor time per token in the core, beside a bare reqwest loop: the example token_cpu, which tells the two apart by the
/// kernel's account of their threads.
/// </summary>
internal static class TokenCpuBench
{
    private const double MostRatio = 1.3;

    public static int Run()
    {
        if (!OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("The processor time per token is measured on Linux only.");
            return 0;
        }

        // A row for each grant; the ratio is last.
        string[][] table = CoreExample.Run("token_cpu", place: null);
        var report = new Report("token-cpu", "Processor time per token in the core", table[0]);
        table.Skip(1).ToList().ForEach(row => report.Row(row));
        report.Note("2,000 tokens, 48 in flight, medians of five rounds that take turns. The bare loop is one reqwest client, a form and a parsed answer.");
        double most = table.Skip(1).Max(row => double.Parse(row[^1], CultureInfo.InvariantCulture));
        report.Limit(most <= MostRatio, string.Create(CultureInfo.InvariantCulture, $"a token costs at most {MostRatio} times what it costs the bare loop"));
        return report.Finish();
    }
}
