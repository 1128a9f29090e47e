using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>Connect-AzureAD: a token for AAD Graph and one for Microsoft Graph, the account and the tenant, all as texts.</summary>
    internal sealed class AzureADService : ConnectService
    {
        internal override string Name => "AzureAD";

        internal override string Command => "Connect-AzureAD";

        internal override string Module => "AzureAD";

        internal override string? DisconnectCommand => "Disconnect-AzureAD";

        internal override string? TokenParameter => "AadAccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("aadGraph"), new TokenNeed("graph") };

        internal override string? Retirement =>
            "AzureAD is retired: deprecated on 30 March 2024, supported until 30 March 2025, and the AAD Graph service that it calls ended on 31 August 2025. Use Microsoft Graph PowerShell instead (-Service Graph).";

        internal override CertificateNames? Certificate { get; } = new CertificateNames("ApplicationId", "TenantId", "CertificateThumbprint");

        protected override void FillToken(Hashtable parameters, ConnectContext context)
        {
            SetToken(parameters, context, "AadAccessToken", "aadGraph");
            if (context.Shape.Takes("MsAccessToken"))
            {
                SetToken(parameters, context, "MsAccessToken", "graph");
            }

            SetIfTaken(parameters, context, "AccountId", context.Account);
            SetIfTaken(parameters, context, "TenantId", context.TenantId);
        }

        protected override void FillRest(Hashtable parameters, ConnectContext context)
        {
            if (context.Shape.FirstOf("AzureEnvironmentName", "EnvironmentName") is string environment)
            {
                string[] government = { "AzureUSGovernment", "USGovernment" };
                SetCloud(parameters, context, environment, government, government, new[] { "AzureChinaCloud" });
            }
        }
    }
}
