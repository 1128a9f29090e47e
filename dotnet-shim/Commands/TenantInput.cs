using System;

namespace SecureAppModel.Commands
{
    /// <summary>Says what can be a tenant: a GUID or a DNS domain. Everything else is refused before anything is sent.</summary>
    internal static class TenantInput
    {
        /// <summary>Stands for a credential that was given as a tenant; no text that a user can give.</summary>
        internal const string Credential = "\0credential";

        /// <summary>Stands for an object that names no tenant.</summary>
        internal const string NoTenant = "\0object";

        /// <summary>Stands for the tenant that a managed identity has by itself.</summary>
        internal const string Own = "\0own";

        private const string Advice = "Give the customer's tenant id (a GUID) or one of its domains, for example contoso.onmicrosoft.com.";

        /// <summary>Null where there is a tenant at all; otherwise what to do about it.</summary>
        internal static SecureAppException? Missing(string[]? tenants) =>
            tenants is { Length: > 0 }
                ? null
                : new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    "No tenant was given.",
                    "Use -TenantId with the customer's tenant id (a GUID) or one of its domains, or pipe customers in.");

        /// <summary>Null where <paramref name="tenant"/> can be one; otherwise why not.</summary>
        internal static SecureAppException? Refusal(string? tenant)
        {
            string text = tenant?.Trim() ?? string.Empty;
            if (Guid.TryParseExact(text, "D", out _) || InputShape.IsDomain(text))
            {
                return null;
            }

            return text switch
            {
                "" => ErrorRecords.Refusal("The tenant is empty.", Advice),
                Credential => ErrorRecords.Refusal("A credential is not a tenant.", "Name it, as in -Credential $credential."),
                NoTenant => ErrorRecords.Refusal(
                    "The input names no tenant.",
                    "Give tenant ids or domains, or objects with a property " + string.Join(", ", TenantTransformationAttribute.Properties) + "."),
                _ => ErrorRecords.Refusal(Shown.Sentence(Shown.Identifier(text)) + " is neither a tenant id nor a domain.", Advice),
            };
        }
    }
}
