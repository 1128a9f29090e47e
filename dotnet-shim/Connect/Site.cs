using System;
using SecureAppModel.Commands;

namespace SecureAppModel.Connect
{
    /// <summary>The SharePoint site that is connected to.</summary>
    internal static class Site
    {
        /// <summary>The name of the resource that a token for the site is asked for: its host.</summary>
        internal static string Resource(string url) => new Uri(url).GetLeftPart(UriPartial.Authority);

        /// <summary>The address as it was given. A token is asked for by its host, so it must be a whole one.</summary>
        /// <exception cref="SecureAppException">It is not.</exception>
        internal static string Checked(Uri url) =>
            url.IsAbsoluteUri && url.Scheme == Uri.UriSchemeHttps && url.UserInfo.Length == 0
                ? url.OriginalString.Trim()
                : throw ErrorRecords.Refusal("-Url is not the address of a site.", "Give it with https, such as https://contoso.sharepoint.com or https://contoso-admin.sharepoint.com.");

        /// <summary>The tenant's SharePoint admin centre, which is called after the domain that the tenant was made with.</summary>
        /// <param name="initialDomain">That domain. GCC High's and the Department of Defense's end alike.</param>
        /// <param name="environment">The environment's name, which tells the two apart.</param>
        internal static string AdminCentre(string initialDomain, string environment)
        {
            string[] parts = initialDomain.ToLowerInvariant().Split('.');
            string end = environment.Equals("USGovDoD", StringComparison.OrdinalIgnoreCase) ? "-mil.us"
                : initialDomain.EndsWith(".onmicrosoft.us", StringComparison.OrdinalIgnoreCase) ? ".us"
                : initialDomain.EndsWith(".cn", StringComparison.OrdinalIgnoreCase) ? ".cn"
                : ".com";
            return "https://" + parts[0] + "-admin.sharepoint" + end;
        }
    }
}
