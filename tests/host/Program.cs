// Runs one script file in a hosted engine: each output object is a line on standard output at once, each error a line on
// standard error. The exit code is 0, or 1 when there was an error. The arguments after the file are the script's.
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
try
{
    shell.Invoke(null, output);
}
catch (RuntimeException error)
{
    Console.Error.WriteLine(error.ErrorRecord + "\n" + error.ErrorRecord.ScriptStackTrace);
    return 1;
}

foreach (ErrorRecord error in shell.Streams.Error)
{
    Console.Error.WriteLine(error.ToString());
}

return shell.HadErrors ? 1 : 0;
