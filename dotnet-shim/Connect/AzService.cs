using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// Connect-AzAccount ("Connect-AzAccount", Azure PowerShell's reference): texts, one for each service that its cmdlets call. Only
    /// Azure Resource Manager's must be there.
    /// </summary>
    internal sealed class AzService : ConnectService
    {
        internal override string Name => "Az";

        internal override string Command => "Connect-AzAccount";

        internal override string? DisconnectCommand => "Disconnect-AzAccount";

        internal override string Module => "Az.Accounts";

        internal override string? TokenParameter => "AccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[]
        {
            new TokenNeed("azure"), new TokenNeed("graph") { IsOptional = true }, new TokenNeed("keyVault") { IsOptional = true },
        };

        internal override CertificateNames? Certificate { get; } = new CertificateNames("ApplicationId", "Tenant", "CertificateThumbprint")
        {
            File = "CertificatePath",
            Password = "CertificatePassword",
            Switch = "ServicePrincipal",
        };

        protected override void FillToken(Hashtable parameters, ConnectContext context)
        {
            SetToken(parameters, context, "AccessToken", "azure");
            parameters["AccountId"] = context.Account;
            SetIfTaken(parameters, context, "Tenant", context.TenantId);
            if (context.Has("graph") && context.Shape.Takes("MicrosoftGraphAccessToken"))
            {
                SetToken(parameters, context, "MicrosoftGraphAccessToken", "graph");
            }

            if (context.Has("keyVault") && context.Shape.Takes("KeyVaultAccessToken"))
            {
                SetToken(parameters, context, "KeyVaultAccessToken", "keyVault");
            }
        }

        /// <summary>"Disconnect-AzAccount": by default it is the user's profile, with other sessions' connections, that it changes.</summary>
        protected override void FillDisconnect(Hashtable parameters, CommandShape shape)
        {
            if (shape.Takes("Scope"))
            {
                parameters["Scope"] = "Process";
            }
        }

        protected override void FillRest(Hashtable parameters, ConnectContext context)
        {
            // By default the connection, tokens included, is kept in the user's profile for other sessions.
            SetIfTaken(parameters, context, "Scope", "Process");
            string[] government = { "AzureUSGovernment" };
            SetCloud(parameters, context, "Environment", government, government, new[] { "AzureChinaCloud" });
        }
    }
}
