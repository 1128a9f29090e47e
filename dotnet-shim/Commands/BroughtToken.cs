using System;
using SecureAppModel.Connect;

namespace SecureAppModel.Commands
{
    /// <summary>A token that its user has already: it is what it is, and only looked at.</summary>
    internal static class BroughtToken
    {
        /// <exception cref="SecureAppException">It cannot be read, has ended, or is for another API than the scopes name.</exception>
        internal static PartnerAccessToken Read(string accessToken, string[]? scopes, string? tenant)
        {
            accessToken = accessToken.Trim();
            scopes ??= Array.Empty<string>();
            TokenClaims claims = TokenClaims.Read(accessToken);
            if (claims.ExpiresOn is not DateTimeOffset end)
            {
                throw ErrorRecords.Refusal("-AccessToken is no access token whose content can be read.", "Give the token as the sign-in service issued it.");
            }

            if (end <= DateTimeOffset.UtcNow)
            {
                throw ErrorRecords.Refusal("The access token has ended.", "Get a new one, for example with -RefreshToken.");
            }

            if (claims.Audience is string audience && !Guid.TryParse(audience, out _) && Array.Exists(scopes, scope => !IsOf(scope.Trim(), audience)))
            {
                throw ErrorRecords.Refusal(
                    "The access token is for " + audience + ", and -Scopes asks for another API.",
                    "A token is good for one API: use -RefreshToken to get one for another.");
            }

            return PartnerAccessToken.OfGiven(accessToken, claims, claims.TenantId ?? tenant?.Trim() ?? string.Empty, scopes);
        }

        /// <summary>True for a scope of that API; one without an API in front may be of any.</summary>
        private static bool IsOf(string scope, string audience)
        {
            int slash = scope.LastIndexOf('/');
            return slash < 0 || string.Equals(scope.Substring(0, slash).TrimEnd('/'), audience.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
        }
    }
}
