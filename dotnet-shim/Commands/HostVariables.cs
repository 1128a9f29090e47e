using System;
using System.Security;
using System.Text;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// The environment variables by which a hosting platform tells of its identities. They are passed on because what a
    /// script sets (<c>$env:</c>) is not seen by native code outside of Windows.
    /// </summary>
    internal static class HostVariables
    {
        private static readonly string[] s_names =
        {
            "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET",
            "DEFAULT_IDENTITY_CLIENT_ID", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID",
            "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "ProgramData", "ProgramFiles",
        };

        /// <summary>A variable's value; null where it is not set or empty.</summary>
        internal static string? Read(string name)
        {
            string? value = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrWhiteSpace(value) ? null : value;
        }

        /// <summary>Those that are set, as lines of <c>NAME=value</c>. Some of the values are secrets.</summary>
        internal static SecureString Lines()
        {
            StringBuilder lines = new StringBuilder();
            foreach (string name in s_names)
            {
                if (Read(name) is string value)
                {
                    lines.Append(name).Append('=').Append(value).Append('\n');
                }
            }

            return CredentialInput.Secure(lines.ToString());
        }
    }
}
