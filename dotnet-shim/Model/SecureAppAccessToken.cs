using System;
using System.Security;
using SecureAppModel.Commands;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// An access token with what is known about it. <c>[string]$token</c>, <c>"Bearer $token"</c> and a [string]
    /// parameter get the bare token, a [SecureString] parameter gets it too; what is printed is masked.
    /// </summary>
    /// <remarks>
    /// PowerShell's own conversion to a string asks <see cref="IFormattable"/>, so that gives the token, while
    /// <see cref="ToString()"/>, which logs and debuggers call, does not.
    /// </remarks>
    public sealed class SecureAppAccessToken : IFormattable
    {
        internal SecureAppAccessToken(string accessToken, ValueMap facts)
        {
            AccessToken = accessToken;
            ExpiresOn = facts.Time("expiresOn") ?? default;
            TenantId = facts.OptionalText("tenantId");
            Resource = facts.OptionalText("resource");
            Scopes = facts.Get("scopes") is null ? null : facts.Texts("scopes");
            ApplicationId = facts.Text("applicationId");
            TokenType = facts.OptionalText("tokenType") ?? "Bearer";
            Account = facts.OptionalText("account");
            RefreshToken = facts.OptionalText("refreshToken");
        }

        public string AccessToken { get; }

        public DateTimeOffset ExpiresOn { get; }

        /// <summary>The tenant's GUID, also where a domain was asked for; null where neither the question nor the token tells it.</summary>
        public string? TenantId { get; }

        /// <summary>The resource of a v1 token; null on one that was asked for by scope.</summary>
        public string? Resource { get; }

        /// <summary>The scopes of a v2 token; null on one that was asked for by resource.</summary>
        public string[]? Scopes { get; }

        public string ApplicationId { get; }

        public string TokenType { get; }

        /// <summary>The user that the token is for; null on an application's own token.</summary>
        public string? Account { get; }

        /// <summary>Only where it was asked for with -IncludeRefreshToken.</summary>
        public string? RefreshToken { get; }

        /// <summary>What the token is for, without the token: all of it that is ever serialised.</summary>
        public string Summary =>
            "SecureAppAccessToken for " + (Resource ?? string.Join(" ", Scopes ?? Array.Empty<string>()))
            + (TenantId is null ? string.Empty : " in tenant " + TenantId);

        public static implicit operator SecureString(SecureAppAccessToken token) => CredentialInput.Secure(token.AccessToken);

        public override string ToString() => Summary;

        string IFormattable.ToString(string? format, IFormatProvider? formatProvider) => AccessToken;
    }
}
