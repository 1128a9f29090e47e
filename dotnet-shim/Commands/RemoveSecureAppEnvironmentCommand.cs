using System;
using System.Management.Automation;
using SecureAppModel.Completion;

namespace SecureAppModel.Commands
{
    /// <summary>Forgets clouds that were added to this process.</summary>
    [Cmdlet(VerbsCommon.Remove, "SecureAppEnvironment", SupportsShouldProcess = true)]
    public sealed class RemoveSecureAppEnvironmentCommand : SecureAppCmdlet
    {
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string[]? Name { get; set; }

        protected override void ProcessRecord()
        {
            if (Name is not { Length: > 0 })
            {
                Each(() => throw ErrorRecords.Refusal("No environment was named.", "Use -Name; Get-SecureAppEnvironment lists them."), null);
                return;
            }

            foreach (string name in Name)
            {
                if (ShouldProcess(name, "Remove environment"))
                {
                    Remove(name);
                }
            }
        }

        private void Remove(string name)
        {
            try
            {
                EnvironmentStore.Remove(name);
            }
            catch (SecureAppException failure)
            {
                FailItem(failure, name);
                return;
            }

            if (string.Equals(State.Environment, name, StringComparison.OrdinalIgnoreCase))
            {
                State.LoseEnvironment();
                WriteWarning("'" + name + "' was this session's default environment. Commands that would use it fail until another is set (Set-SecureAppDefault) or the default is cleared (Clear-SecureAppDefault).");
            }
        }
    }
}
