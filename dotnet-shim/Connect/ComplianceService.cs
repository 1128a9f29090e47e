using System;
using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// Connect-IPPSSession ("Connect-IPPSSession", Microsoft's reference): a customer's organization goes by the domain that it was
    /// made with, and beside it the sign-in endpoint must be named.
    /// </summary>
    internal sealed class ComplianceService : ExchangeModuleService
    {
        internal override string Name => "Compliance";

        internal override string Command => "Connect-IPPSSession";

        internal override string? TokenSince => "3.8.0";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("compliance") };

        internal override string Otherwise => "With a certificate (-CertificateThumbPrint, -CertificateFilePath or -Certificate, with -AppID and -Organization) version 3.2.0 is enough.";

        protected override Version RestSince { get; } = new Version(3, 2, 0);

        internal override bool WantsInitialDomain(CommandShape shape, bool isAppOnly, bool isOwn) =>
            isAppOnly ? shape.Takes("Organization") : !isOwn;

        protected override void FillRest(Hashtable parameters, ConnectContext context)
        {
            SetIfTaken(parameters, context, "ShowBanner", false);
            if (context.Environment.ToUpperInvariant() is "USGOV" or "USGOVDOD" or "CHINA")
            {
                SetIfTaken(parameters, context, "ConnectionUri", context.Resource("compliance") + "/powershell-liveid/");
                SetIfTaken(parameters, context, "AzureADAuthorizationEndpointUri", context.LoginEndpoint + "/organizations");
            }
            else if (parameters.ContainsKey("DelegatedOrganization"))
            {
                parameters["AzureADAuthorizationEndpointUri"] = context.LoginEndpoint + "/organizations";
            }
        }
    }
}
