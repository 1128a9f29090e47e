using System.Diagnostics;

namespace SecureAppModel.Bench;

/// <summary>An example of the core that measures, and prints a tab-separated table.</summary>
internal static class CoreExample
{
    /// <summary>That of the library which this build stages.</summary>
#if DEBUG
    private const string Profile = "release";
#else
    private const string Profile = "dist";
#endif

    /// <summary>Runs it, with <c>place</c> for temporary files if one is given; the table as it is printed.</summary>
    public static string[][] Run(string name, string? place, params string[] arguments)
    {
        var start = new ProcessStartInfo("sh", [.. Cargo("run", name), "--", .. arguments])
        {
            WorkingDirectory = Session.Root,
            RedirectStandardOutput = true,
        };
        if (place is not null)
        {
            start.Environment["TMPDIR"] = place;
        }

        using Process example = Process.Start(start)!;
        string output = example.StandardOutput.ReadToEnd();
        example.WaitForExit();
        return example.ExitCode == 0
            ? [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))]
            : throw new InvalidOperationException($"{name} ended with {example.ExitCode}: {output}");
    }

    /// <summary>Compiles it, so that no measurement waits for that.</summary>
    public static void Build(string name)
    {
        using Process build = Process.Start(new ProcessStartInfo("sh", Cargo("build", name)) { WorkingDirectory = Session.Root })!;
        build.WaitForExit();
    }

    private static string[] Cargo(string command, string name) =>
        ["build/with-rust.sh", "cargo", command, "--quiet", "--profile", Profile, "-p", "secureapp-core", "--example", name];
}
