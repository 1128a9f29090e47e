using System.Diagnostics;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>
/// Waits that end. The limit is longer than anything takes, so that only a failing test comes to it, and then the words say
/// what it waited for.
/// </summary>
public static class Within
{
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(3);

    /// <summary>Waits for a signal.</summary>
    public static void Wait(ManualResetEventSlim signal, string what) =>
        Assert.True(signal.Wait(Limit, TestContext.Current.CancellationToken), Late(what, Limit));

    /// <summary>Waits for what nothing tells of: looks again and again.</summary>
    public static void Until(Func<bool> condition, string what) =>
        Assert.True(SpinWait.SpinUntil(condition, Limit), Late(what, Limit));

    /// <summary>Waits for what blocks.</summary>
    public static T Take<T>(Func<T> blocking, string what, TimeSpan? limit = null)
    {
        Task<T> taken = Task.Run(blocking);
        Assert.True(((IAsyncResult)taken).AsyncWaitHandle.WaitOne(limit ?? Limit), Late(what, limit ?? Limit));
        return taken.GetAwaiter().GetResult();
    }

    /// <summary>Runs a program to its end; one that does not come to it is killed.</summary>
    public static (int Exit, string Output, string Errors) Run(ProcessStartInfo start, string input = "", TimeSpan? limit = null)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(limit ?? Limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail(Late($"the end of {start.FileName}", limit ?? Limit));
        }

        // A program that it has left behind may hold its pipes.
        string wrote = Take(() => output.Result, $"all that {start.FileName} wrote");
        string complained = Take(() => errors.Result, $"all that {start.FileName} complained of");
        Recorder.Hear(Place.ChildOutput, start.FileName, wrote);
        Recorder.Hear(Place.ChildErrors, start.FileName, complained);
        return (process.ExitCode, wrote, complained);
    }

    private static string Late(string what, TimeSpan limit) => $"Waited {limit.TotalMinutes} minutes for {what}.";
}
