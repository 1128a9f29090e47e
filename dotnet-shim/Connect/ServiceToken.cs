using System;

namespace SecureAppModel.Connect
{
    /// <summary>A token that a service's own Connect cmdlet needs.</summary>
    internal sealed class TokenNeed
    {
        internal TokenNeed(string service, bool partnerTenant = false)
        {
            Service = service;
            PartnerTenant = partnerTenant;
        }

        /// <summary>The service as an environment's table of resources names it: graph, aadGraph, outlook, partnerCenter.</summary>
        internal string Service { get; }

        /// <summary>True where it is the partner's own tenant whose token is needed, whatever the customer.</summary>
        internal bool PartnerTenant { get; }
    }

    /// <summary>A token that was obtained.</summary>
    internal sealed class ServiceToken
    {
        internal ServiceToken(string accessToken, string tenantId, DateTimeOffset expiresOn, string? initialDomain = null)
        {
            AccessToken = accessToken;
            TenantId = tenantId;
            ExpiresOn = expiresOn;
            InitialDomain = initialDomain;
        }

        internal string AccessToken { get; }

        /// <summary>The GUID of the tenant that issued it.</summary>
        internal string TenantId { get; }

        internal DateTimeOffset ExpiresOn { get; }

        /// <summary>The domain that the tenant was made with; null where it was not asked for.</summary>
        internal string? InitialDomain { get; }
    }
}
