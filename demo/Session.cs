using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace SecureAppModel.Demo;

/// <summary>One session whose output goes to the screen through the module's own views, as at a prompt.</summary>
internal sealed class Session(Runspace runspace, ConsoleHost host)
{
    private readonly Lock _gate = new();
    private PowerShell? _running;
    private bool _stopped;

    /// <summary>Runs a script file in the session's own scope; an error that nobody handles ends it.</summary>
    public void Run(string path, params object[] arguments)
    {
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddScript("param($file, $values) . $file @values", useLocalScope: false).AddArgument(path).AddArgument(arguments);
        Invoke(shell);
    }

    /// <summary>Shows objects as a table.</summary>
    public void Show(IEnumerable<Check> checks)
    {
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddScript("$args[0] | ForEach-Object -Process { [pscustomobject] @{ Customer = $_.Customer; Reported = $_.Reported; 'In the files' = $_.InFiles; 'In the sandbox' = $_.InSandbox } }")
            .AddArgument(checks);
        Invoke(shell);
    }

    public object? Get(string name) => runspace.SessionStateProxy.GetVariable(name);

    /// <summary>Stops what runs, and lets nothing else start.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            // Not by BeginStop, whose thread ends the process where a command ends at that very moment.
            _ = _running is { } running ? Task.Run(running.Stop) : Task.CompletedTask;
        }
    }

    /// <summary>Ends the sandbox; it would end with this process in any case.</summary>
    public void End()
    {
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddScript("if (Get-Command -Name Stop-SecureAppSandbox -ErrorAction Ignore) { if ($sandbox) { Stop-SecureAppSandbox $sandbox } }");
        shell.Invoke();
    }

    private void Invoke(PowerShell shell)
    {
        shell.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.AddCommand("Out-Default");
        lock (_gate)
        {
            if (_stopped)
            {
                throw new PipelineStoppedException();
            }

            _running = shell;
        }

        try
        {
            shell.Invoke();
        }
        finally
        {
            host.EndProgress();
            lock (_gate)
            {
                _running = null;
            }
        }
    }
}
