using System;
using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>Connect-SPOService ("Connect-SPOService", Microsoft's reference): it takes a certificate, and no token.</summary>
    internal sealed class SharePointService : ConnectService
    {
        internal override string Name => "SharePoint";

        internal override string Command => "Connect-SPOService";

        internal override string? DisconnectCommand => "Disconnect-SPOService";

        internal override string Module => "Microsoft.Online.SharePoint.PowerShell";

        internal override string? TokenParameter => null;

        internal override IReadOnlyList<TokenNeed> Needs { get; } = Array.Empty<TokenNeed>();

        internal override CertificateNames? Certificate { get; } = new CertificateNames("ClientId", "TenantId", "CertificateThumbprint")
        {
            Certificate = "Certificate",
            File = "CertificatePath",
            Password = "CertificatePassword",
        };

        internal override bool WantsSite => true;

        internal override string Otherwise => "-Service PnP connects SharePoint with a token, and Invoke-SecureAppRequest asks its REST API.";

        protected override void FillToken(Hashtable parameters, ConnectContext context) => throw new NotSupportedException(Command);

        protected override void FillRest(Hashtable parameters, ConnectContext context) => parameters["Url"] = context.Site;
    }
}
