using System.Collections.Generic;

namespace SecureAppModel.Completion
{
    /// <summary>The products that raise alerts in Microsoft Graph.</summary>
    public sealed class ServiceSourceCompleter : NameCompleter
    {
        private static readonly string[] s_sources =
        {
            "azureAdIdentityProtection",
            "dataLossPrevention",
            "microsoft365Defender",
            "microsoftAppGovernance",
            "microsoftDefenderForCloud",
            "microsoftDefenderForCloudApps",
            "microsoftDefenderForEndpoint",
            "microsoftDefenderForIdentity",
            "microsoftDefenderForOffice365",
            "microsoftInsiderRiskManagement",
            "microsoftSecurityForAI",
            "microsoftSentinel",
            "microsoftThreatIntelligence",
        };

        protected override IEnumerable<string> Names() => s_sources;
    }
}
