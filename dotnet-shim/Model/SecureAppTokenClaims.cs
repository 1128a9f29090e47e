using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What a token says of itself, without the token. Nobody has checked that it is true.</summary>
    public sealed class SecureAppTokenClaims
    {
        internal SecureAppTokenClaims(ValueMap facts)
        {
            ValueMap claims = facts.Map("claims") ?? ValueMap.Empty;
            ValueMap times = facts.Map("times") ?? ValueMap.Empty;
            TenantId = claims.OptionalText("tid");
            Audience = claims.OptionalText("aud") ?? Joined(claims.Texts("aud"));
            Account = claims.OptionalText("upn") ?? claims.OptionalText("unique_name") ?? claims.OptionalText("preferred_username");
            ApplicationId = claims.OptionalText("appid") ?? claims.OptionalText("azp");
            Roles = claims.Texts("roles");
            Scopes = claims.Text("scp").Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries);
            AuthenticationMethods = claims.Texts("amr");
            Kind = claims.OptionalText("idtyp") switch
            {
                "app" => "Application",
                "user" => "User",
                _ => Scopes.Length > 0 ? "User" : Roles.Length > 0 ? "Application" : null,
            };
            IssuedAt = times.Time("iat");
            NotBefore = times.Time("nbf");
            ExpiresOn = times.Time("exp");
            Claims = new PSObject();
            foreach (KeyValuePair<string, object?> claim in claims.Entries)
            {
                Claims.Properties.Add(new PSNoteProperty(claim.Key, times.Time(claim.Key) ?? Plain(claim.Value)));
            }
        }

        /// <summary>The tenant that issued it.</summary>
        public string? TenantId { get; }

        /// <summary>What it is for, as the service names itself.</summary>
        public string? Audience { get; }

        /// <summary>User or Application, where that can be told.</summary>
        public string? Kind { get; }

        /// <summary>The user that it is for; null on an application's own token.</summary>
        public string? Account { get; }

        public string? ApplicationId { get; }

        /// <summary>Application permissions, and roles of a user in the application.</summary>
        public string[] Roles { get; }

        /// <summary>Delegated permissions.</summary>
        public string[] Scopes { get; }

        /// <summary>How the user signed in; mfa is among them after multifactor authentication.</summary>
        public string[] AuthenticationMethods { get; }

        public DateTimeOffset? IssuedAt { get; }

        public DateTimeOffset? NotBefore { get; }

        public DateTimeOffset? ExpiresOn { get; }

        /// <summary>Always false: only the service that a token is for can judge it.</summary>
        public bool SignatureVerified => false;

        /// <summary>All claims by their own names, points in time as such.</summary>
        public PSObject Claims { get; }

        public override string ToString() => "Claims of a token for " + Audience + " in tenant " + TenantId + " (signature not checked)";

        private static string? Joined(string[] texts) => texts.Length > 0 ? string.Join(" ", texts) : null;

        private static object? Plain(object? value)
        {
            switch (value)
            {
                case ValueMap map:
                    PSObject plain = new PSObject();
                    foreach (KeyValuePair<string, object?> entry in map.Entries)
                    {
                        plain.Properties.Add(new PSNoteProperty(entry.Key, Plain(entry.Value)));
                    }

                    return plain;
                case IReadOnlyList<object?> list:
                    return list.Select(Plain).ToArray();
                default:
                    return value;
            }
        }
    }
}
