using System;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <summary>A credential in environment variables, as containers and pipelines are given theirs. It is only read.</summary>
    internal static class EnvironmentCredential
    {
        internal const string Set = "EnvironmentVariable";

        /// <summary>The prefix that Azure's own tools use.</summary>
        private const string UsualPrefix = "AZURE";

        /// <exception cref="SecureAppException">A variable that is needed is missing.</exception>
        internal static SecureAppCredential Read(string? name)
        {
            string prefix = string.IsNullOrWhiteSpace(name) ? UsualPrefix : name!.Trim();
            string? applicationId = Variable(prefix + "_CLIENT_ID");
            string? secret = Variable(prefix + "_CLIENT_SECRET");
            string? refreshToken = Variable(prefix + "_REFRESH_TOKEN");
            if (applicationId is null)
            {
                throw Missing("The environment variable " + prefix + "_CLIENT_ID is not set.", prefix);
            }

            if (secret is null && refreshToken is null)
            {
                throw Missing(
                    "Neither the environment variable " + prefix + "_CLIENT_SECRET nor " + prefix + "_REFRESH_TOKEN is set.", prefix);
            }

            return CredentialInput.Open(
                applicationId, Secure(secret), Secure(refreshToken), Variable(prefix + "_TENANT_ID"), Variable(prefix + "_USERNAME"), null,
                mfa: YesOrNo(prefix + "_REFRESH_TOKEN_MFA"));
        }

        private static string? Variable(string name)
        {
            string? value = System.Environment.GetEnvironmentVariable(name)?.Trim();
            return string.IsNullOrEmpty(value) ? null : value;
        }

        private static bool? YesOrNo(string name)
        {
            switch (Variable(name)?.ToLowerInvariant())
            {
                case null:
                    return null;
                case "true":
                    return true;
                case "false":
                    return false;
                default:
                    throw new SecureAppException(
                        SecureAppErrorKind.InvalidInput,
                        "The environment variable " + name + " is neither true nor false.",
                        "Set it to what the Mfa of the credential from New-SecureAppRefreshToken says, or remove it.");
            }
        }

        private static SecureString? Secure(string? text) => text is null ? null : CredentialInput.Secure(text);

        private static SecureAppException Missing(string message, string prefix) => new SecureAppException(
            SecureAppErrorKind.InvalidInput,
            message,
            "Set " + prefix + "_CLIENT_ID, " + prefix + "_TENANT_ID and " + prefix + "_CLIENT_SECRET, and " + prefix
            + "_REFRESH_TOKEN to act for a user; -Name chooses another prefix than " + UsualPrefix + ".");
    }
}
