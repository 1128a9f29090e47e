using System.Management.Automation;
using SecureAppModel.Completion;

namespace SecureAppModel.Commands
{
    /// <summary>Sets what this session uses when a command is not told.</summary>
    [Cmdlet(VerbsCommon.Set, "SecureAppDefault")]
    public sealed class SetSecureAppDefaultCommand : SecureAppCmdlet
    {
        private SecureAppCredential? _credential;

        /// <summary>Where the credential is of use, if it came with that.</summary>
        private string? _home;

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

            if (((Credential as PSObject)?.BaseObject ?? Credential) is not SecureAppSandbox sandbox)
            {
                _credential = ResolveCredential(Credential);
                return;
            }

            if (sandbox.Credential is null)
            {
                FailInput("The sandbox has no credential.", "Make one in it, for example with New-SecureApp, and set that.", null);
            }

            _credential = sandbox.Credential;
            _home = sandbox.Environment;
        }

        protected override void EndProcessing()
        {
            if (_credential is null && !IsGiven(nameof(Environment)))
            {
                FailInput("Nothing to set was given.", "Use -Credential, -Environment or both; Clear-SecureAppDefault removes a default.", null);
            }

            CheckNotEmpty(nameof(Environment));

            // Both are checked before either is changed.
            string? wanted = IsGiven(nameof(Environment)) ? Environment ?? string.Empty : _home;
            string? environment = wanted is null ? null : Guarded(() => EnvironmentStore.Get(wanted), wanted).Name;

            State.Credential = _credential ?? State.Credential;
            if (environment is not null)
            {
                State.Environment = environment;
            }
        }
    }
}
