using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Cargo;

/// <summary>How one Rust test ended.</summary>
public sealed record RustTest(string Binary, string Name, string Verdict, string Detail);

/// <summary>
/// Builds every Rust test of the workspace with one cargo call, runs each test program and reads its results. What cannot be
/// built or read is a result too, never an absence.
/// </summary>
public static partial class CargoRun
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(30);

    /// <summary>One element for each Rust test, plus one for the compilation and one for the documentation's examples.</summary>
    public static IEnumerable<RustTest> All()
    {
        (int exit, string output, string complaint) = Run(
            Cargo("test", "--release", "--workspace", "--no-run", "--message-format=json-render-diagnostics", "--target-dir", "target"));
        yield return new RustTest("cargo", "every Rust test compiles", exit == 0 ? "ok" : "FAILED", complaint);
        if (exit != 0)
        {
            yield break;
        }

        foreach ((string program, string name, string folder) in Programs(output))
        {
            ProcessStartInfo start = WithRust(program);
            start.WorkingDirectory = folder;
            start.Environment["CARGO_MANIFEST_DIR"] = folder;
            foreach (RustTest test in Read(name, Run(start)))
            {
                yield return test;
            }
        }

        ProcessStartInfo examples = Cargo("test", "--release", "--workspace", "--doc", "--no-fail-fast", "--target-dir", "target");
        foreach (RustTest test in Read("documentation", Run(examples)))
        {
            yield return test;
        }
    }

    /// <summary>Reads what libtest printed. Each line that says how a test ended is a result; a count that differs is a failure.</summary>
    internal static IEnumerable<RustTest> Read(string binary, (int Exit, string Output, string Complaint) run)
    {
        int read = 0;
        foreach (Match line in ResultLine().Matches(run.Output))
        {
            read++;
            string name = line.Groups["name"].Value;
            string verdict = line.Groups["verdict"].Value;
            yield return new RustTest(binary, name, verdict, verdict == "FAILED" ? Section(run.Output, name) + run.Complaint : line.Value);
        }

        int said = SummaryLine().Matches(run.Output)
            .Sum(line => int.Parse(line.Groups["passed"].Value) + int.Parse(line.Groups["failed"].Value) + int.Parse(line.Groups["ignored"].Value));
        bool failureShown = run.Output.Contains("... FAILED", StringComparison.Ordinal);
        if (said != read || (run.Exit != 0 && !failureShown))
        {
            string detail = $"exit code {run.Exit}; {read} results read, {said} announced.\n{run.Output}\n{run.Complaint}";
            yield return new RustTest(binary, "the program ran to its end", "FAILED", detail);
        }
    }

    /// <summary>The test programs that cargo built: path, a name for people, and the folder to run in.</summary>
    private static IEnumerable<(string Program, string Name, string Folder)> Programs(string messages)
    {
        foreach (string line in messages.Split('\n'))
        {
            if (!line.StartsWith('{'))
            {
                continue;
            }

            using JsonDocument message = JsonDocument.Parse(line);
            JsonElement root = message.RootElement;
            if (root.GetProperty("reason").GetString() != "compiler-artifact"
                || !root.GetProperty("profile").GetProperty("test").GetBoolean()
                || root.GetProperty("executable").GetString() is not { } program)
            {
                continue;
            }

            string folder = Path.GetDirectoryName(root.GetProperty("manifest_path").GetString()) ?? Repository.Root;
            JsonElement target = root.GetProperty("target");
            string kind = target.GetProperty("kind")[0].GetString() == "test" ? "tests/" : "src/";
            yield return (program, $"{Path.GetFileName(folder)}/{kind}{target.GetProperty("name").GetString()}", folder);
        }
    }

    private static ProcessStartInfo Cargo(params string[] arguments)
    {
        ProcessStartInfo start = WithRust("cargo");
        start.WorkingDirectory = Repository.Root;
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    /// <summary>The same wrapper as the build's, for the machines where HOME is not the one that Rust was installed for.</summary>
    private static ProcessStartInfo WithRust(string program)
    {
        if (OperatingSystem.IsWindows())
        {
            return new ProcessStartInfo(program);
        }

        var start = new ProcessStartInfo("sh");
        start.ArgumentList.Add(Path.Combine(Repository.Root, "build", "with-rust.sh"));
        start.ArgumentList.Add(program);
        return start;
    }

    private static (int Exit, string Output, string Complaint) Run(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment["CARGO_TERM_COLOR"] = "never";
        var output = new StringBuilder();
        var complaint = new StringBuilder();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        process.StandardInput.Close();
        process.OutputDataReceived += (_, line) => output.Append(line.Data).Append('\n');
        process.ErrorDataReceived += (_, line) => complaint.Append(line.Data).Append('\n');
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            complaint.Append($"ended after {s_limit.TotalMinutes} minutes");
            return (-1, output.ToString(), complaint.ToString());
        }

        // The call without a limit also waits for the last lines.
        process.WaitForExit();
        Recorder.Hear(Place.ChildOutput, start.FileName, output.ToString());
        Recorder.Hear(Place.ChildErrors, start.FileName, complaint.ToString());
        return (process.ExitCode, output.ToString(), complaint.ToString());
    }

    /// <summary>What a failed test printed: libtest's section of that name.</summary>
    private static string Section(string output, string name)
    {
        int start = output.IndexOf($"---- {name} stdout ----", StringComparison.Ordinal);
        if (start < 0)
        {
            return output;
        }

        int next = output.IndexOf("\n---- ", start + 5, StringComparison.Ordinal);
        int list = output.IndexOf("\nfailures:\n", start, StringComparison.Ordinal);
        int end = new[] { next, list, output.Length }.Where(at => at >= 0).Min();
        return output[start..end];
    }

    [GeneratedRegex(@"^test (?<name>.+?) \.\.\. (?<verdict>ok|FAILED|ignored)(?<reason>,.*)?$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ResultLine();

    [GeneratedRegex(@"^test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed; (?<ignored>\d+) ignored", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex SummaryLine();
}
