using System.Management.Automation;
using SecureAppModel.Completion;

namespace SecureAppModel.Commands
{
    /// <summary>Lists the clouds that this process knows.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppEnvironment")]
    [OutputType(typeof(SecureAppEnvironment))]
    public sealed class GetSecureAppEnvironmentCommand : SecureAppCmdlet
    {
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [SupportsWildcards]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string[]? Name { get; set; }

        protected override void ProcessRecord()
        {
            foreach (string name in Name ?? new[] { "*" })
            {
                if (!WildcardPattern.ContainsWildcardCharacters(name))
                {
                    WriteOne(name);
                    continue;
                }

                WildcardPattern pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
                foreach (SecureAppEnvironment environment in Guarded(EnvironmentStore.List, name))
                {
                    if (pattern.IsMatch(environment.Name))
                    {
                        WriteObject(environment);
                    }
                }
            }
        }

        private void WriteOne(string name)
        {
            try
            {
                WriteObject(EnvironmentStore.Get(name));
            }
            catch (SecureAppException failure)
            {
                FailItem(failure, name);
            }
        }
    }
}
