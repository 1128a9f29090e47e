using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Says what customers have consented to, as tokens show it.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppConsent")]
    [OutputType(typeof(SecureAppConsent))]
    public sealed class GetSecureAppConsentCommand : ConsentScopeCmdlet
    {
        internal override string Action => "show";
    }
}
