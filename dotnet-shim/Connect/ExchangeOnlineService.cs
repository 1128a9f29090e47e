using System;
using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>Connect-ExchangeOnline ("Connect-ExchangeOnline", Microsoft's reference).</summary>
    internal sealed class ExchangeOnlineService : ExchangeModuleService
    {
        internal override string Name => "ExchangeOnline";

        internal override string Command => "Connect-ExchangeOnline";

        internal override string? TokenSince => "3.1.0";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("outlook") };

        internal override string Otherwise => "Invoke-SecureAppExchangeCommand runs Exchange cmdlets without any module.";

        protected override Version RestSince { get; } = new Version(3, 0, 0);

        /// <summary>An application names the organization by that domain; its GUID is not taken (-Organization).</summary>
        internal override bool WantsInitialDomain(CommandShape shape, bool isAppOnly, bool isOwn) => isAppOnly && shape.Takes("Organization");

        protected override void FillRest(Hashtable parameters, ConnectContext context)
        {
            SetIfTaken(parameters, context, "ShowBanner", false);
            SetCloud(
                parameters,
                context,
                "ExchangeEnvironmentName",
                new[] { "O365USGovGCCHigh" },
                new[] { "O365USGovDoD" },
                new[] { "O365China" });
        }
    }
}
