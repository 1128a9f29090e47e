using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// Connect-PnPOnline ("Connect-PnPOnline", PnP PowerShell's reference): one token, which is for SharePoint here, so that its
    /// cmdlets for Graph do not work with it; two are not taken.
    /// </summary>
    internal sealed class PnPService : ConnectService
    {
        internal override string Name => "PnP";

        internal override string Command => "Connect-PnPOnline";

        internal override string? DisconnectCommand => "Disconnect-PnPOnline";

        internal override string Module => "PnP.PowerShell";

        internal override string? TokenParameter => "AccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { TokenNeed.OfSite };

        internal override CertificateNames? Certificate { get; } = new CertificateNames("ClientId", "Tenant", "Thumbprint")
        {
            File = "CertificatePath",
            Password = "CertificatePassword",
        };

        internal override bool WantsSite => true;

        protected override void FillToken(Hashtable parameters, ConnectContext context) =>
            SetToken(parameters, context, "AccessToken", TokenNeed.OfSite.Service);

        protected override void FillRest(Hashtable parameters, ConnectContext context)
        {
            parameters["Url"] = context.Site;
            SetCloud(
                parameters,
                context,
                "AzureEnvironment",
                new[] { "USGovernmentHigh", "USGovernment" },
                new[] { "USGovernmentDoD", "USGovernment" },
                new[] { "China" });
        }
    }
}
