using System;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A customer that the partner administers.</summary>
    public sealed class DelegatedTenant
    {
        internal DelegatedTenant(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            DefaultDomainName = record.OptionalText("defaultDomainName");
            Sources = record.Texts("sources");
            Relationship = record.OptionalText("relationship");
            PartnerTenantId = record.OptionalText("partnerTenantId");
            if (record.Get("relationships") is not null)
            {
                Relationships = record.Maps("relationships").Select(map => new DelegatedAdminRelationship(map)).ToArray();
                Roles = DelegatedAdminRole.All(record);
                EndsOn = record.Time("ends");
            }

            if (record.Map("access") is ValueMap access)
            {
                HasAccess = access.Flag("ok");
                AccessError = access.Map("error") is ValueMap error ? SecureAppException.From(error, SecureAppErrorKind.Internal) : null;
            }
        }

        /// <summary>A customer of which no more than this is known.</summary>
        internal DelegatedTenant(string tenantId, string? displayName, string? domain)
        {
            TenantId = tenantId;
            DisplayName = displayName;
            DefaultDomainName = domain;
            Sources = Array.Empty<string>();
        }

        public string TenantId { get; }

        public string? DisplayName { get; }

        public string? DefaultDomainName { get; }

        /// <summary>Where it was found: PartnerCenter, Contracts, DelegatedAdminCustomers.</summary>
        public string[] Sources { get; }

        /// <summary>The partner's own tenant, where it is known: whose customer it is.</summary>
        public string? PartnerTenantId { get; }

        /// <summary>What Partner Center calls the partner's relationship to it.</summary>
        public string? Relationship { get; }

        /// <summary>Whether a token for it can be had; null where that was not asked.</summary>
        public bool? HasAccess { get; }

        /// <summary>Why no token can be had.</summary>
        public SecureAppException? AccessError { get; }

        /// <summary>The delegated admin relationships with it, those in force first; null where they were not asked for.</summary>
        public DelegatedAdminRelationship[]? Relationships { get; }

        /// <summary>The roles that the partner has by them now.</summary>
        public DelegatedAdminRole[]? Roles { get; }

        /// <summary>When the first of these roles ends that no other relationship goes on giving.</summary>
        public DateTimeOffset? EndsOn { get; }

        public override string ToString() => TenantId;
    }
}
