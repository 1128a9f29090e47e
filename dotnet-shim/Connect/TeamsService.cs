using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// Connect-MicrosoftTeams ("Connect-MicrosoftTeams", Microsoft's reference): two texts in one array, Graph's first, both of a user or
    /// both of an application. Before 2.3.2 it took other tokens by other parameters, for services that are gone.
    /// </summary>
    internal sealed class TeamsService : ConnectService
    {
        internal override string Name => "Teams";

        internal override string Command => "Connect-MicrosoftTeams";

        internal override string? DisconnectCommand => "Disconnect-MicrosoftTeams";

        internal override string Module => "MicrosoftTeams";

        internal override string? TokenParameter => "AccessTokens";

        internal override string? TokenSince => "2.3.2";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("graph"), new TokenNeed("teams") };

        internal override CertificateNames? Certificate { get; } =
            new CertificateNames("ApplicationId", "TenantId", "CertificateThumbprint") { Certificate = "Certificate" };

        protected override void FillToken(Hashtable parameters, ConnectContext context)
        {
            parameters["AccessTokens"] = new[] { context.Token("graph").AccessToken, context.Token("teams").AccessToken };
            SetIfTaken(parameters, context, "TenantId", context.TenantId);
        }

        protected override void FillRest(Hashtable parameters, ConnectContext context) =>
            SetCloud(parameters, context, "TeamsEnvironmentName", new[] { "TeamsGCCH" }, new[] { "TeamsDOD" }, new[] { "TeamsChina" });
    }
}
