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

        internal override string TokenParameter => "AccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("graph") };

        protected override void Fill(Hashtable parameters, ConnectContext context)
        {
            parameters["AccessToken"] = Token(context.Token("graph"), context.Shape.TypeOf("AccessToken"), secureByDefault: true);
            SetIfTaken(parameters, context, "NoWelcome", true);
            SetCloud(parameters, context, "Environment", new[] { "USGov" }, new[] { "USGovDoD" }, new[] { "China" });
        }
    }
}
