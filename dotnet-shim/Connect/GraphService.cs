using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>Connect-MgGraph: the token is a SecureString since 2.0 and was a text before.</summary>
    internal sealed class GraphService : ConnectService
    {
        internal override string Name => "Graph";

        internal override string Command => "Connect-MgGraph";

        internal override string Module => "Microsoft.Graph.Authentication";

        internal override string? DisconnectCommand => "Disconnect-MgGraph";

        internal override string? TokenParameter => "AccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("graph") };

        internal override CertificateNames? Certificate { get; } =
            new CertificateNames("ClientId", "TenantId", "CertificateThumbprint") { Certificate = "Certificate" };

        protected override void FillToken(Hashtable parameters, ConnectContext context) =>
            parameters["AccessToken"] = Token(context.Token("graph"), context.Shape.TypeOf("AccessToken"), secureByDefault: true);

        protected override void FillRest(Hashtable parameters, ConnectContext context)
        {
            SetIfTaken(parameters, context, "NoWelcome", true);
            SetCloud(parameters, context, "Environment", new[] { "USGov" }, new[] { "USGovDoD" }, new[] { "China" });
        }
    }
}
