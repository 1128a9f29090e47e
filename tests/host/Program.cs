// Runs one script file in a hosted engine: each output object is a line on standard output at once, each error a line on
// standard error. The exit code is 0, or 1 when there was an error. The arguments after the file are the script's.
// A line "stop" on standard input stops the script, as Ctrl-C does at a console; "stopped" is the answer, and as at a console
// the process goes on: until its standard input ends.
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell;

InitialSessionState state = InitialSessionState.CreateDefault2();
if (OperatingSystem.IsWindows())
{
    state.ExecutionPolicy = ExecutionPolicy.Bypass;
}

using Runspace runspace = RunspaceFactory.CreateRunspace(state);
runspace.Open();
using PowerShell shell = PowerShell.Create(runspace);
shell.AddScript(File.ReadAllText(args[0]));
foreach (string argument in args.Skip(1))
{
    shell.AddArgument(argument);
}

var output = new PSDataCollection<PSObject>();
output.DataAdded += (_, added) =>
{
    Console.Out.WriteLine(output[added.Index]?.ToString());
    Console.Out.Flush();
};
Task input = Task.Run(() =>
{
    while (Console.In.ReadLine() is { } line)
    {
        if (line == "stop")
        {
            shell.Stop();
        }
    }
});
try
{
    shell.Invoke(null, output);
}
catch (PipelineStoppedException)
{
    // As below: whether it is thrown depends on where the script was.
}
catch (RuntimeException error)
{
    Console.Error.WriteLine(error.ErrorRecord + "\n" + error.ErrorRecord.ScriptStackTrace);
    return 1;
}

if (shell.InvocationStateInfo.State == PSInvocationState.Stopped)
{
    Console.Out.WriteLine("stopped");
    Console.Out.Flush();
    await input;
    return 1;
}

foreach (ErrorRecord error in shell.Streams.Error)
{
    Console.Error.WriteLine(error.ToString());
}

return shell.HadErrors ? 1 : 0;
