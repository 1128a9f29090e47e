using System.Management.Automation;
using SecureAppModel.Completion;

namespace SecureAppModel.Commands
{
    /// <summary>Sets what this session uses when a command is not told.</summary>
    [Cmdlet(VerbsCommon.Set, "SecureAppDefault")]
    public sealed class SetSecureAppDefaultCommand : SecureAppCmdlet
    {
        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void EndProcessing()
        {
            bool credentialGiven = MyInvocation.BoundParameters.ContainsKey(nameof(Credential));
            if (!credentialGiven && !MyInvocation.BoundParameters.ContainsKey(nameof(Environment)))
            {
                FailInput("Nothing to set was given.", "Use -Credential, -Environment or both; Clear-SecureAppDefault removes a default.", null);
            }

            CheckNotEmpty(nameof(Environment));

            // Both are checked before either is changed.
            SecureAppCredential? credential = credentialGiven ? ResolveCredential(Credential) : State.Credential;
            string? environment = MyInvocation.BoundParameters.ContainsKey(nameof(Environment))
                ? Guarded(() => EnvironmentStore.Get(Environment ?? string.Empty), Environment).Name
                : null;

            State.Credential = credential;
            if (environment is not null)
            {
                State.Environment = environment;
            }
        }
    }
}
