using System;
using System.Linq;
using SecureAppModel.Connect;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// What the compatible New-PartnerAccessToken returns, by the property names of the PartnerCenter module's result. Its
    /// tokens are text, refresh token included, because the scripts that it is for read them as text; its views and what is
    /// serialised of it have none.
    /// </summary>
    public sealed class PartnerAccessToken
    {
        private static readonly string[] s_openId = { "openid", "email", "profile", "offline_access" };

        private PartnerAccessToken(string accessToken, TokenClaims claims, DateTimeOffset expiresOn, string tenantId, string[] scopes)
        {
            AccessToken = accessToken;
            ExpiresOn = expiresOn;
            TenantId = tenantId;
            Scopes = scopes;
            UniqueId = claims.ObjectId;
            Account = claims.Account is string account ? new PartnerAccount(account) : null;
        }

        public string AccessToken { get; }

        /// <summary>The newest one; null on an application's own token, which never has one.</summary>
        public string? RefreshToken { get; private set; }

        public DateTimeOffset ExpiresOn { get; }

        /// <summary>The tenant that the token is of.</summary>
        public string TenantId { get; }

        /// <summary>What was granted, or else what was asked for.</summary>
        public string[] Scopes { get; }

        /// <summary>The user that the token acts for; null on an application's own token.</summary>
        public PartnerAccount? Account { get; private set; }

        /// <summary>The object id of the user, or of the application's service principal.</summary>
        public string? UniqueId { get; }

        /// <summary>Only where a user has just signed in.</summary>
        public string? IdToken { get; private set; }

        public override string ToString() => "PartnerAccessToken for " + string.Join(" ", Scopes) + " in tenant " + TenantId;

        /// <summary>From a record of the operation that gets tokens.</summary>
        internal static PartnerAccessToken OfToken(ValueMap record)
        {
            string accessToken = record.Text("accessToken");
            TokenClaims claims = TokenClaims.Read(accessToken);
            string[] asked = record.OptionalText("resource") is string resource ? new[] { resource.TrimEnd('/') + "/.default" } : record.Texts("scopes");
            return new PartnerAccessToken(accessToken, claims, record.Time("expiresOn") ?? default, record.Text("tenantId"), Granted(asked, claims.Scopes))
            {
                RefreshToken = record.OptionalText("refreshToken"),
            };
        }

        /// <summary>From the record of a sign-in that was asked for its tokens.</summary>
        internal static PartnerAccessToken OfSignIn(ValueMap record)
        {
            string accessToken = record.Text("accessToken");
            TokenClaims claims = TokenClaims.Read(accessToken);
            return new PartnerAccessToken(
                accessToken, claims, record.Time("expiresOn") ?? default, record.OptionalText("tokenTenantId") ?? record.Text("tenantId"), record.Texts("scopes"))
            {
                RefreshToken = record.OptionalText("refreshToken"),
                IdToken = record.OptionalText("idToken"),
                Account = record.OptionalText("account") is string account ? new PartnerAccount(account) : null,
            };
        }

        /// <summary>From a token that its user brought along.</summary>
        internal static PartnerAccessToken OfGiven(string accessToken, TokenClaims claims, string tenantId, string[] scopes) =>
            new PartnerAccessToken(accessToken, claims, claims.ExpiresOn ?? default, tenantId, scopes);

        /// <summary>
        /// A token names its permissions without their API, which is what was asked for up to the last slash. Those of OpenID Connect
        /// belong to no API.
        /// </summary>
        private static string[] Granted(string[] asked, string[] permissions)
        {
            string first = asked.FirstOrDefault() ?? string.Empty;
            string api = first.Substring(0, first.LastIndexOf('/') + 1);
            return permissions.Length > 0 ? permissions.Select(permission => s_openId.Contains(permission) ? permission : api + permission).ToArray() : asked;
        }
    }

    /// <summary>A user, as much of it as scripts read of the PartnerCenter module's result.</summary>
    public sealed class PartnerAccount
    {
        internal PartnerAccount(string username) => Username = username;

        public string Username { get; }

        public override string ToString() => Username;
    }
}
