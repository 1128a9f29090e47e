using System;
using SecureAppModel.Commands;
using SecureAppModel.Interop;

namespace SecureAppModel.Connect
{
    /// <summary>What a token says about its user and itself. Read without verification: the service that it is for does that.</summary>
    internal sealed class TokenClaims
    {
        private TokenClaims(ValueMap facts)
        {
            ValueMap claims = facts.Map("claims") ?? ValueMap.Empty;
            TenantId = claims.OptionalText("tid");
            Audience = claims.OptionalText("aud");
            ObjectId = claims.OptionalText("oid");
            Scopes = claims.Text("scp").Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries);
            ExpiresOn = facts.Map("times")?.Time("exp");
            Account = claims.OptionalText("upn") ?? claims.OptionalText("unique_name") ?? claims.OptionalText("preferred_username");
            HomeTenantId = Guid(claims.Text("idp"));
        }

        internal string? Account { get; }

        internal string? TenantId { get; }

        /// <summary>What the token is for; null where it is for several things, or says nothing.</summary>
        internal string? Audience { get; }

        /// <summary>The user's, or the application's service principal's.</summary>
        internal string? ObjectId { get; }

        /// <summary>Delegated permissions, without the name of their API.</summary>
        internal string[] Scopes { get; }

        internal DateTimeOffset? ExpiresOn { get; }

        /// <summary>
        /// The user's own tenant where it is another one than the token's: Microsoft's access token claims reference has
        /// the claim idp for users whose account is not in the issuer's tenant.
        /// </summary>
        internal string? HomeTenantId { get; }

        /// <summary>Says nothing for a token that cannot be read; some services have opaque ones.</summary>
        internal static TokenClaims Read(string accessToken)
        {
            try
            {
                using RequestBuilder request = new RequestBuilder("token.read").Secret("token", CredentialInput.Secure(accessToken));
                return new TokenClaims(Native.Call(request) as ValueMap ?? ValueMap.Empty);
            }
            catch (SecureAppException)
            {
                return new TokenClaims(ValueMap.Empty);
            }
        }

        /// <summary>The tenant in an issuer's address, such as https://sts.windows.net/{tenant}/.</summary>
        private static string? Guid(string issuer)
        {
            foreach (string part in issuer.Split('/'))
            {
                if (System.Guid.TryParseExact(part, "D", out System.Guid tenant))
                {
                    return tenant.ToString("D");
                }
            }

            return null;
        }
    }
}
