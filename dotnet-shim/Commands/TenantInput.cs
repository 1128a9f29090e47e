using System;

namespace SecureAppModel.Commands
{
    /// <summary>Says what can be a tenant: a GUID or a DNS domain. Everything else is refused before anything is sent.</summary>
    internal static class TenantInput
    {
        private const int LongestDomain = 253;
        private const int LongestLabel = 63;

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
            if (string.IsNullOrWhiteSpace(tenant))
            {
                return new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    "The tenant is empty.",
                    "Give the customer's tenant id (a GUID) or one of its domains, for example contoso.onmicrosoft.com.");
            }

            string text = tenant!.Trim();
            return Guid.TryParseExact(text, "D", out _) || IsDomain(text)
                ? null
                : new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    "'" + tenant + "' is neither a tenant id nor a domain.",
                    "Give the customer's tenant id (a GUID) or one of its domains, for example contoso.onmicrosoft.com.");
        }

        private static bool IsDomain(string text)
        {
            string[] labels = text.Split('.');
            if (text.Length > LongestDomain || labels.Length < 2)
            {
                return false;
            }

            foreach (string label in labels)
            {
                if (label.Length == 0 || label.Length > LongestLabel || label[0] == '-' || label[label.Length - 1] == '-')
                {
                    return false;
                }

                foreach (char character in label)
                {
                    if (!char.IsLetterOrDigit(character) && character != '-')
                    {
                        return false;
                    }
                }
            }

            // The last label of a real domain is never a number: 10.0.0.1 is an address.
            return !long.TryParse(labels[labels.Length - 1], out _);
        }
    }
}
