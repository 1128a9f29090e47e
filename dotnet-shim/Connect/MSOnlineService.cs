using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>Connect-MsolService: a token for AAD Graph and one for Microsoft Graph, both as texts.</summary>
    internal sealed class MSOnlineService : ConnectService
    {
        internal override string Name => "MSOnline";

        internal override string Command => "Connect-MsolService";

        internal override string Module => "MSOnline";

        internal override string? DisconnectCommand => null;

        internal override string? TokenParameter => "AdGraphAccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("aadGraph"), new TokenNeed("graph") };

        internal override string? Retirement =>
            "MSOnline is retired: deprecated on 30 March 2024, supported until 30 March 2025, and its connections have been refused since May 2025. Use Microsoft Graph PowerShell instead (-Service Graph).";

        protected override void FillToken(Hashtable parameters, ConnectContext context)
        {
            SetToken(parameters, context, "AdGraphAccessToken", "aadGraph");
            if (context.Shape.Takes("MsGraphAccessToken"))
            {
                SetToken(parameters, context, "MsGraphAccessToken", "graph");
            }

            string[] government = { "USGovernment", "AzureUSGovernment" };
            SetCloud(parameters, context, "AzureEnvironment", government, government, new[] { "AzureChinaCloud" });
        }
    }
}
