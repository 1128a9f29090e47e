using System;
using System.Collections;
using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// Connect-PartnerCenter: its token is the partner tenant's own, whichever customer is worked on. Version 1 also wants
    /// the token's end and the application; version 3 takes neither beside a token.
    /// </summary>
    internal sealed class PartnerCenterService : ConnectService
    {
        internal override string Name => "PartnerCenter";

        internal override string Command => "Connect-PartnerCenter";

        internal override string Module => "PartnerCenter";

        internal override string? DisconnectCommand => "Disconnect-PartnerCenter";

        internal override string? TokenParameter => "AccessToken";

        internal override IReadOnlyList<TokenNeed> Needs { get; } = new[] { new TokenNeed("partnerCenter", partnerTenant: true) };

        protected override void FillToken(Hashtable parameters, ConnectContext context)
        {
            SetToken(parameters, context, "AccessToken", "partnerCenter");
            if (!context.Shape.IsDocumented)
            {
                SetIfTaken(parameters, context, "AccessTokenExpiresOn", End(context));
                SetIfTaken(parameters, context, "ApplicationId", context.ApplicationId);
                if (context.Shape.FirstOf("TenantId", "Tenant") is string tenant)
                {
                    parameters[tenant] = context.TenantId;
                }
            }

            string[] government = { "AzureUSGovernment", "AzureUSGovernmentCloud" };
            SetCloud(parameters, context, "Environment", government, government, new[] { "AzureChinaCloud" });
        }

        private static object End(ConnectContext context)
        {
            DateTimeOffset end = context.ExpiresOn ?? default;
            Type? type = context.Shape.TypeOf("AccessTokenExpiresOn");
            return (type is null ? null : Nullable.GetUnderlyingType(type) ?? type) == typeof(DateTime)
                ? end.LocalDateTime
                : end;
        }
    }
}
