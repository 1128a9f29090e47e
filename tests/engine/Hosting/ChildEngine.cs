using System.Diagnostics;
using System.Text;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>How a process ended and what it wrote.</summary>
public sealed record ChildResult(int ExitCode, string Output, string Errors)
{
    public IReadOnlyList<string> Lines =>
        Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public ChildResult Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}\n{Errors}");
        return this;
    }
}

/// <summary>A script in a process of its own: what loads, what is left behind, what a kill does.</summary>
public sealed class ChildEngine : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(2);

    private readonly string _script;
    private readonly Task<string> _errors;
    private readonly string _source;
    private readonly StringBuilder _written = new();

    private ChildEngine(string script, string[] arguments, (string Name, string Value)[] variables)
    {
        _script = Path.Combine(Path.GetTempPath(), $"secureapp-{Guid.NewGuid():n}.ps1");
        _source = script;
        File.WriteAllText(_script, script);
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && path.EndsWith("dotnet", StringComparison.Ordinal) ? path : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Repository.TestHost);
        start.ArgumentList.Add(_script);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        Process = Process.Start(start) ?? throw new InvalidOperationException("The child engine did not start.");
        _errors = Process.StandardError.ReadToEndAsync();
    }

    public Process Process { get; }

    /// <summary>Starts a script; its arguments arrive as strings.</summary>
    public static ChildEngine Start(string script, params string[] arguments) => new(script, arguments, []);

    /// <summary>The same, with variables of its environment.</summary>
    public static ChildEngine StartWith((string Name, string Value)[] variables, string script, params string[] arguments) =>
        new(script, arguments, variables);

    /// <summary>Stops the script as Ctrl-C does; the process goes on until its input ends.</summary>
    public void Stop()
    {
        Process.StandardInput.WriteLine("stop");
        Process.StandardInput.Flush();
    }

    /// <summary>Runs a script to its end.</summary>
    public static ChildResult Run(string script, params string[] arguments)
    {
        using ChildEngine child = Start(script, arguments);
        return child.Wait();
    }

    /// <summary>The next line that the script writes; null at its end.</summary>
    public string? ReadLine()
    {
        string? line = Within.Take(Process.StandardOutput.ReadLine, "a line of the child engine");
        _written.AppendLine(line);
        return line;
    }

    /// <summary>Waits for the end; <see cref="ChildResult.Output"/> holds the lines that were not read yet.</summary>
    public ChildResult Wait()
    {
        Task<string> output = Process.StandardOutput.ReadToEndAsync();
        if (!Process.WaitForExit(s_limit))
        {
            Process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The child engine did not end within {s_limit.TotalMinutes} minutes.");
        }

        string rest = Within.Take(() => output.Result, "the child engine's output");
        _written.Append(rest);
        return new ChildResult(Process.ExitCode, rest, Within.Take(() => _errors.Result, "the child engine's errors"));
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill(entireProcessTree: true);
            Process.WaitForExit();
        }

        Recorder.Hear(Place.ChildOutput, _source, _written.ToString());
        // A process that the child left behind holds its streams open.
        if (_errors.Wait(s_lastWords))
        {
            Recorder.Hear(Place.ChildErrors, _source, _errors.Result);
        }

        Process.Dispose();
        File.Delete(_script);
    }
}
