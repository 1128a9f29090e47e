using System.Management.Automation;
using System.Management.Automation.Runspaces;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Leaks;

/// <summary>Takes down all that a script left behind: its streams, its screen, its objects as a screen and a file show them.</summary>
internal static class ScriptRecorder
{
    /// <summary>More objects of one type look the same.</summary>
    private const int OfOneType = 10;

    private const string Product = "SecureAppModel";

    internal static void Hear(string script, Outcome outcome, Runspace runspace, CapturingHost host)
    {
        Hear(Place.Warning, script, outcome.Warnings);
        Hear(Place.Verbose, script, outcome.Verbose);
        Hear(Place.Debug, script, outcome.Debug);
        Hear(Place.Information, script, outcome.Information);
        Hear(Place.Progress, script, outcome.Progress.Select(record =>
            $"{record.Activity} {record.StatusDescription} {record.CurrentOperation}").Distinct(StringComparer.Ordinal));
        Recorder.Hear(Place.Screen, script, outcome.Screen);
        Hear(Place.Error, script, outcome.Errors.Append(outcome.FailureRecord).OfType<ErrorRecord>().SelectMany(Texts).Select(text => Without(script, text)));
        Recorder.Hear(Place.Error, script, outcome.Failure?.ToString());
        HearObjects(script, outcome.Output, runspace, host);
    }

    /// <summary>
    /// The module's objects that a session still holds in its variables. Not those of a session that still runs something: a
    /// test left it because it failed, and that failure is what it shall report.
    /// </summary>
    internal static void HearVariables(Runspace runspace, CapturingHost host)
    {
        if (IsFree(runspace))
        {
            IEnumerable<PSObject> values = runspace.SessionStateProxy.InvokeProvider.ChildItem.Get("Variable:", false)
                .Select(variable => ((PSVariable)variable.BaseObject).Value).Where(value => value is not null).Select(PSObject.AsPSObject);
            HearObjects("variables of the session", values.Where(IsOurs), runspace, host);
        }
    }

    private static void HearObjects(string script, IEnumerable<PSObject> objects, Runspace runspace, CapturingHost host)
    {
        var some = objects.Where(item => item is not null).GroupBy(item => item.TypeNames[0]).SelectMany(type => type.Take(OfOneType)).ToList();
        foreach (PSObject item in some.Where(item => !IsOurs(item)))
        {
            Recorder.Hear(Place.Text, script, item.BaseObject as string ?? Serialised(item));
        }

        List<PSObject> ours = [.. some.Where(IsOurs)];
        foreach (PSObject item in ours)
        {
            // Not the wrapper's text: that is how PowerShell makes text of a token, and what scripts paste into headers.
            Recorder.Hear(Place.View, script, item.BaseObject.ToString(), item.TypeNames[0]);
            Recorder.Hear(Place.Serialised, script, Serialised(item), item.TypeNames[0]);
        }

        if (ours.Count > 0 && CanShow(runspace))
        {
            // Each type in its own view, and all of them behind something else, where PowerShell asks no view.
            foreach (IGrouping<string, PSObject> type in ours.GroupBy(item => item.TypeNames[0]))
            {
                Recorder.Hear(Place.View, script, Shown(type, runspace, host), type.Key);
            }

            Recorder.Hear(Place.View, script, Shown(ours.Prepend(new PSObject(new Version(1, 0))), runspace, host));
        }
    }

    private static void Hear(Place place, string script, IEnumerable<string?> texts) =>
        Recorder.Hear(place, script, string.Join('\n', texts));

    private static bool IsOurs(PSObject item) =>
        item.BaseObject.GetType().Assembly.GetName().Name == Product
        || item.TypeNames.Any(name => name.StartsWith($"Deserialized.{Product}.", StringComparison.Ordinal));

    private static string Serialised(PSObject item)
    {
        try
        {
            return PSSerializer.Serialize(item, 2);
        }
        catch (Exception failure) when (failure is RuntimeException or InvalidOperationException)
        {
            return failure.ToString();
        }
    }

    /// <summary>Whether the session can run something now, and has the module's views.</summary>
    private static bool CanShow(Runspace runspace) =>
        IsFree(runspace)
        && runspace.SessionStateProxy.InvokeCommand.GetCommand("Get-SecureAppDefault", CommandTypes.Cmdlet) is not null;

    private static bool IsFree(Runspace runspace) =>
        runspace.RunspaceStateInfo.State == RunspaceState.Opened && runspace.RunspaceAvailability == RunspaceAvailability.Available;

    private static string Shown(IEnumerable<PSObject> objects, Runspace runspace, CapturingHost host)
    {
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddCommand("Out-Default").Invoke(objects);
        return host.TakeText();
    }

    /// <summary>PowerShell repeats in an error's InvocationInfo the line that it came from; what that says itself is no leak.</summary>
    private static string? Without(string script, string? text)
    {
        foreach (string line in script.Split('\n').Where(line => line.Length >= RunSecrets.Shortest))
        {
            string escaped = line.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
            text = text?.Replace(line, string.Empty).Replace(escaped, string.Empty);
        }

        return text;
    }

    /// <summary>What a person, a log or a serialised <c>$Error</c> gets of an error.</summary>
    private static IEnumerable<string?> Texts(ErrorRecord error)
    {
        yield return error.ToString();
        yield return error.FullyQualifiedErrorId;
        yield return error.CategoryInfo.ToString();
        yield return error.ErrorDetails?.Message;
        yield return error.ErrorDetails?.RecommendedAction;
        yield return error.TargetObject?.ToString();
        yield return error.Exception.ToString();
        foreach (PSPropertyInfo property in PSObject.AsPSObject(error.Exception).Properties)
        {
            yield return property.Value as string;
        }

        yield return Serialised(PSObject.AsPSObject(error));
    }
}
