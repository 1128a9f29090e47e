using System.Management.Automation;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>Everything one script left behind: its output, each stream, what was on the screen and how it ended.</summary>
public sealed class Outcome
{
    internal Outcome(IReadOnlyList<PSObject> output, PSDataStreams streams, string screen, RuntimeException? failure)
    {
        Output = output;
        Errors = [.. streams.Error.ReadAll()];
        Warnings = [.. streams.Warning.ReadAll().Select(record => record.Message)];
        Verbose = [.. streams.Verbose.ReadAll().Select(record => record.Message)];
        Debug = [.. streams.Debug.ReadAll().Select(record => record.Message)];
        Information = [.. streams.Information.ReadAll().Select(record => record.ToString())];
        Progress = [.. streams.Progress.ReadAll()];
        Screen = screen;
        Failure = failure;
    }

    /// <summary>What the pipeline wrote, one element an object; null objects stay null.</summary>
    public IReadOnlyList<PSObject> Output { get; }

    /// <summary>The non-terminating errors.</summary>
    public IReadOnlyList<ErrorRecord> Errors { get; }

    public IReadOnlyList<string> Warnings { get; }

    public IReadOnlyList<string> Verbose { get; }

    public IReadOnlyList<string> Debug { get; }

    public IReadOnlyList<string> Information { get; }

    public IReadOnlyList<ProgressRecord> Progress { get; }

    /// <summary>The text that a person would have read, host messages included.</summary>
    public string Screen { get; }

    /// <summary>The terminating error, or the stop, that ended the script; null when it ran to its end.</summary>
    public RuntimeException? Failure { get; }

    /// <summary>The record of the terminating error.</summary>
    public ErrorRecord? FailureRecord => Failure?.ErrorRecord;

    /// <summary>True when the script was stopped from outside.</summary>
    public bool Stopped => Failure is PipelineStoppedException;

    /// <summary>All text of all streams: the haystack of the "no secret anywhere" tests.</summary>
    public string AllText => string.Join(
        '\n',
        [
            .. Output.Select(item => item?.ToString() ?? string.Empty),
            .. Errors.Select(Describe),
            .. Warnings,
            .. Verbose,
            .. Debug,
            .. Information,
            .. Progress.Select(record => $"{record.Activity} {record.StatusDescription} {record.CurrentOperation}"),
            Screen,
            Failure?.ToString() ?? string.Empty,
        ]);

    /// <summary>Fails the test with the errors' text unless the script ended well and wrote no error; returns itself.</summary>
    public Outcome Succeeded()
    {
        Assert.True(Failure is null, Failure is null ? null : $"The script was ended by: {Describe(Failure.ErrorRecord)}");
        Assert.True(Errors.Count == 0, $"The script wrote errors:\n{string.Join('\n', Errors.Select(Describe))}");
        return this;
    }

    /// <summary>The only output object's value.</summary>
    public T Single<T>() => (T)Assert.Single(Output).BaseObject;

    /// <summary>A property of the only output object.</summary>
    public object? Property(string name) => Assert.Single(Output).Properties[name]?.Value;

    private static string Describe(ErrorRecord error) =>
        $"{error.FullyQualifiedErrorId} [{error.CategoryInfo}] {error.Exception.Message} {error.ErrorDetails?.Message}";
}
