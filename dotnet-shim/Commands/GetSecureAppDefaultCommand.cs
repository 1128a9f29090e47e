using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Shows what this session uses when a command is not told.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppDefault")]
    [OutputType(typeof(SecureAppDefault))]
    public sealed class GetSecureAppDefaultCommand : SecureAppCmdlet
    {
        protected override void EndProcessing() => WriteObject(new SecureAppDefault(State));
    }
}
