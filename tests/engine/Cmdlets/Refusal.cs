using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>Tells a command that was ended by its error from one that only wrote it: try/catch sees the first alone.</summary>
internal static class Refusal
{
    /// <summary>Runs a command that must be ended by its error and returns that error.</summary>
    internal static ErrorRecord Refused(this Engine engine, string command)
    {
        Outcome outcome = engine.Run("try { " + command + "\n} catch { throw }");
        Assert.Empty(outcome.Errors);
        return Assert.IsType<ErrorRecord>(outcome.FailureRecord);
    }
}
