using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Shows what this session uses when a command is not told.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppDefault")]
    [OutputType(typeof(SecureAppDefault), typeof(SecureAppCredential), typeof(string))]
    public sealed class GetSecureAppDefaultCommand : SecureAppCmdlet
    {
        /// <summary>Only the credential.</summary>
        [Parameter]
        public SwitchParameter Credential { get; set; }

        /// <summary>Only the environment's name.</summary>
        [Parameter]
        public SwitchParameter Environment { get; set; }

        protected override void EndProcessing()
        {
            if (Credential == Environment)
            {
                WriteObject(new SecureAppDefault(State));
            }
            else
            {
                WriteObject(Credential ? State.Credential : State.Environment);
            }
        }
    }
}
