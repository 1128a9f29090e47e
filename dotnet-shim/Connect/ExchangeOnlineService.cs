using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// Connect-ExchangeOnline: beside the token it must be told whose organization it is, in one of three ways:
    /// -Organization for an application, -DelegatedOrganization for a partner's user in a customer's tenant,
    /// -UserPrincipalName for a user at home.
    /// </summary>
    internal sealed class ExchangeOnlineService : ConnectService
    {
        internal override string Name => "ExchangeOnline";

        internal override string Command => "Connect-ExchangeOnline";

        internal override string Module => "ExchangeOnlineManagement";

        internal override string TokenParameter => "AccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("outlook") };

        /// <summary>An application names the organization by that domain; its GUID is not taken (Connect-ExchangeOnline, -Organization).</summary>
        internal override bool WantsInitialDomain(CommandShape shape, bool isAppOnly) => isAppOnly && shape.Takes("Organization");

        protected override void Fill(Hashtable parameters, ConnectContext context)
        {
            SetToken(parameters, context, "AccessToken", "outlook");
            if (context.IsAppOnly)
            {
                SetIfTaken(parameters, context, "Organization", context.OrganizationName);
            }
            else if (context.IsCustomer)
            {
                parameters["DelegatedOrganization"] = context.OrganizationName;
            }
            else
            {
                parameters["UserPrincipalName"] = context.Account;
            }

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
