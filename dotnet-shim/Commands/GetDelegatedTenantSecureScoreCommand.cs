using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Gives each tenant's Microsoft Secure Score, with its controls and its last days where that is wanted.</summary>
    [Cmdlet(VerbsCommon.Get, "DelegatedTenantSecureScore")]
    [OutputType(typeof(DelegatedTenantSecureScore))]
    public sealed class GetDelegatedTenantSecureScoreCommand : SecurityCmdlet
    {
        /// <summary>Also gives what the score is made of.</summary>
        [Parameter]
        public SwitchParameter IncludeControl { get; set; }

        /// <summary>Also gives the scores of so many days, the newest first.</summary>
        [Parameter]
        [ValidateRange(1, 90)]
        public int? Days { get; set; }

        internal override string Kind => "security_scores";

        internal override void Ask(RequestBuilder request) => request.Flag("controls", IncludeControl).Int("days", Days);

        internal override void OnRecord(ValueMap record) => WriteObject(new DelegatedTenantSecureScore(record));
    }
}
