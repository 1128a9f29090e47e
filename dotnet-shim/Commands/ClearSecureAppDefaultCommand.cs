using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Removes this session's defaults: the named ones, or all of them.</summary>
    [Cmdlet(VerbsCommon.Clear, "SecureAppDefault")]
    public sealed class ClearSecureAppDefaultCommand : SecureAppCmdlet
    {
        [Parameter]
        public SwitchParameter Credential { get; set; }

        [Parameter]
        public SwitchParameter Environment { get; set; }

        protected override void EndProcessing()
        {
            bool all = !Credential && !Environment;
            if (all || Credential)
            {
                State.Credential = null;
            }

            if (all || Environment)
            {
                State.Environment = null;
            }
        }
    }
}
