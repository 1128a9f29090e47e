using System;
using System.Management.Automation;
using System.Runtime.CompilerServices;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Remembers of a tenant that was taken from a customer object which customer that was, and so which partner's. It hangs on the
    /// very text that the object was turned into: a parameter that takes texts has room for no more.
    /// </summary>
    internal static class TenantOrigin
    {
        private const string Partner = "PartnerTenantId";

        private static readonly ConditionalWeakTable<string, PSObject> s_customers = new ConditionalWeakTable<string, PSObject>();

        /// <summary>The tenant as a text of its own, which remembers the customer.</summary>
        internal static string Mark(string tenant, PSObject customer)
        {
            // There is one empty text in a process, which would be every empty tenant's.
            if (tenant.Length == 0)
            {
                return tenant;
            }

            string own = new string(tenant.ToCharArray());
            s_customers.Add(own, customer);
            return own;
        }

        /// <summary>The customer, where Get-DelegatedTenant gave it.</summary>
        internal static DelegatedTenant? Customer(string tenant) =>
            s_customers.TryGetValue(tenant, out PSObject customer) ? customer.BaseObject as DelegatedTenant : null;

        /// <summary>
        /// Null where the credential can act for the partner that lists the customer, or nothing says that it cannot; otherwise why
        /// not. An application's own access to a tenant is no partner's affair.
        /// </summary>
        internal static SecureAppException? Refusal(string tenant, SecureAppCredential? credential, bool appOnly) =>
            s_customers.TryGetValue(tenant, out PSObject customer) ? Refusal(tenant, customer, credential, appOnly) : null;

        /// <summary>The same of a tenant whose customer is at hand.</summary>
        internal static SecureAppException? Refusal(string tenant, PSObject customer, SecureAppCredential? credential, bool appOnly)
        {
            object? partner = customer.Properties[Partner]?.Value;
            if (credential is not { HasRefreshToken: true } || appOnly
                || !Guid.TryParse(partner?.ToString(), out Guid listed) || !Guid.TryParse(credential.HomeTenantId, out Guid home) || listed == home)
            {
                return null;
            }

            return ErrorRecords.Refusal(
                "Tenant " + tenant + " is a customer of the partner " + listed.ToString("D") + ", and the credential's user is of tenant " + home.ToString("D") + ".",
                "Use a credential of that partner. Where-Object PartnerTenantId tells the customers of several partners apart.");
        }
    }
}
