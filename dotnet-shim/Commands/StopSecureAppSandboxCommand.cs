using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Sandbox;

namespace SecureAppModel.Commands
{
    /// <summary>Stops sandboxes that this process has started, all of them where none is named, and forgets their environments.</summary>
    [Cmdlet(VerbsLifecycle.Stop, "SecureAppSandbox", SupportsShouldProcess = true, DefaultParameterSetName = "All")]
    public sealed class StopSecureAppSandboxCommand : SecureAppCmdlet
    {
        [Parameter(ParameterSetName = "InputObject", Mandatory = true, Position = 0, ValueFromPipeline = true)]
        public SecureAppSandbox[] InputObject { get; set; } = Array.Empty<SecureAppSandbox>();

        [Parameter(ParameterSetName = "ProcessId", Mandatory = true, ValueFromPipelineByPropertyName = true)]
        public int[] ProcessId { get; set; } = Array.Empty<int>();

        protected override void ProcessRecord()
        {
            foreach (int processId in Chosen())
            {
                string? environment = SandboxRegistry.EnvironmentOf(processId);
                if (environment is not null)
                {
                    if (ShouldProcess(environment + " (process " + processId + ")", "Stop sandbox"))
                    {
                        SandboxRegistry.Stop(processId);
                        if (string.Equals(State.Environment, environment, StringComparison.OrdinalIgnoreCase))
                        {
                            State.LoseEnvironment();
                        }
                    }
                }
                else if (ParameterSetName == "ProcessId")
                {
                    WriteError(ErrorRecords.From(
                        new SecureAppException(
                            SecureAppErrorKind.NotFound,
                            "Process " + processId + " is not a sandbox that this PowerShell has running.",
                            "Stop-SecureAppSandbox without a parameter stops all that it has."),
                        processId));
                }
                else
                {
                    WriteVerbose("The sandbox with process " + processId + " has already been stopped.");
                }
            }
        }

        private IEnumerable<int> Chosen() => ParameterSetName switch
        {
            "InputObject" => InputObject.Select(sandbox => sandbox.ProcessId),
            "ProcessId" => ProcessId,
            _ => SandboxRegistry.Running,
        };
    }
}
