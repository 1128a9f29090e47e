using System.Diagnostics;

namespace SecureAppModel.Bench;

/// <summary>An example of the core that measures, and prints a tab-separated table under a line of headings.</summary>
internal static class CoreExample
{
    /// <summary>Runs it as released code; the table with its headings.</summary>
    public static string[][] Run(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "sh",
            ["build/with-rust.sh", "cargo", "run", "--quiet", "--release", "-p", "secureapp-core", "--example", name, "--", .. arguments])
        {
            WorkingDirectory = Session.Root,
            RedirectStandardOutput = true,
        };
        using Process example = Process.Start(start)!;
        string output = example.StandardOutput.ReadToEnd();
        example.WaitForExit();
        return example.ExitCode == 0
            ? [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))]
            : throw new InvalidOperationException($"{name} ended with {example.ExitCode}: {output}");
    }
}
