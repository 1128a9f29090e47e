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

        /// <summary>One for the site that is connected to.</summary>
        internal static TokenNeed OfSite { get; } = new TokenNeed("sharePoint");

        /// <summary>The service as an environment's table of resources names it: graph, aadGraph, outlook, partnerCenter.</summary>
        internal string Service { get; }

        /// <summary>True where it is the partner's own tenant whose token is needed, whatever the customer.</summary>
        internal bool PartnerTenant { get; }

        /// <summary>True where the cmdlet connects without it, for fewer commands.</summary>
        internal bool IsOptional { get; set; }

        /// <summary>What it is asked for; null where the environment has no such service.</summary>
        internal string? Resource(SecureAppEnvironment environment, string? site) => ReferenceEquals(this, OfSite)
            ? (site is null ? null : Site.Resource(site))
            : environment.Resources.Properties[Service]?.Value as string;
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
