using System.Management.Automation;
using SecureAppModel.Completion;

namespace SecureAppModel.Commands
{
    /// <summary>Sets what this session uses when a command is not told.</summary>
    [Cmdlet(VerbsCommon.Set, "SecureAppDefault")]
    public sealed class SetSecureAppDefaultCommand : SecureAppCmdlet
    {
        private SecureAppCredential? _credential;

        [Parameter(ValueFromPipeline = true)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void ProcessRecord()
        {
            if (!IsGiven(nameof(Credential)))
            {
                return;
            }

            if (_credential is not null)
            {
                FailInput("More than one credential was given, and a session has one default.", "Pipe one of them in.", null);
            }

            _credential = ResolveCredential(Credential);
        }

        protected override void EndProcessing()
        {
            if (_credential is null && !IsGiven(nameof(Environment)))
            {
                FailInput("Nothing to set was given.", "Use -Credential, -Environment or both; Clear-SecureAppDefault removes a default.", null);
            }

            CheckNotEmpty(nameof(Environment));

            // Both are checked before either is changed.
            string? environment = IsGiven(nameof(Environment))
                ? Guarded(() => EnvironmentStore.Get(Environment ?? string.Empty), Environment).Name
                : null;

            State.Credential = _credential ?? State.Credential;
            if (environment is not null)
            {
                State.Environment = environment;
            }
        }
    }
}
