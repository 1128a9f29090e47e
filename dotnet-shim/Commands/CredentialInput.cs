// Turns whatever a user passes as -Credential into a credential, without ever asking back and without changing it:
// our own object, a PSCredential, or a hashtable or object with an application id, a secret or certificate, and a refresh token.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    internal static class CredentialInput
    {
        private const string Shape = "Pass a hashtable such as @{ appId = '..'; secret = '..'; refreshToken = '..' }, a PSCredential whose user name is the application id, or a credential from New-SecureAppCredential.";

        private static readonly string[] s_applicationKeys = { "applicationId", "appId", "clientId" };
        private static readonly string[] s_secretKeys = { "secret", "clientSecret" };
        private static readonly string[] s_refreshTokenKeys = { "refreshToken" };
        private static readonly string[] s_tenantKeys = { "tenantId" };

        /// <summary>A parameter was given, and its value is nothing: a variable that is not set in this session, say.</summary>
        internal static SecureAppException Empty(string parameter) => ErrorRecords.Refusal(
            "-" + parameter + " was given, but is empty.",
            "Check that the variable it comes from has a value in this session, or leave -" + parameter + " out.");

        /// <param name="given">What the user passed.</param>
        /// <param name="path">Makes a path full, as the session sees it.</param>
        /// <exception cref="SecureAppException">It cannot be used; the message says why, and holds no value of it.</exception>
        internal static SecureAppCredential Resolve(object? given, Func<string, string> path)
        {
            object? value = given is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : given;
            switch (value)
            {
                case null:
                    throw ErrorRecords.Refusal("No credential was given, and this session has no default credential.", Shape + " Set-SecureAppDefault -Credential sets one for the session.");
                case SecureAppCredential credential:
                    return credential;
                case PSCredential credential:
                    return FromPSCredential(credential);
                case SecureAppSandbox:
                    throw ErrorRecords.Refusal("The credential is a sandbox.", "Pass its Credential property, and its Environment property as -Environment.");
                case string:
                    throw ErrorRecords.Refusal("The credential is a text, which does not say what is the application id and what the secret.", Shape);
                case SecureString:
                    throw ErrorRecords.Refusal("The credential is a SecureString alone; the application id is missing.", Shape);
                case IDictionary dictionary:
                    return FromFields(Fields(dictionary), "hashtable", path);
            }

            PSObject o = PSObject.AsPSObject(given);
            if (o.TypeNames.Any(name => name.StartsWith("Deserialized.SecureAppModel.SecureAppCredential", StringComparison.Ordinal)))
            {
                throw ErrorRecords.Refusal(
                    "This credential is a serialised copy, which holds no secret.",
                    "Create it again with New-SecureAppCredential where it is used: a credential does not survive Export-Clixml, jobs or remoting.");
            }

            if (value is ValueType || value is Array)
            {
                throw ErrorRecords.Refusal("The credential is of type " + value.GetType().Name + ", which cannot be one.", Shape);
            }

            return FromFields(Fields(o), "object", path);
        }

        /// <summary>Opens a credential; a missing application id or proof is refused.</summary>
        internal static SecureAppCredential Open(
            string applicationId, SecureString? secret, SecureString? refreshToken, string? tenantId, string? account, DateTimeOffset? acquiredOn,
            CertificateParts? certificate = null, bool? mfa = null)
        {
            if (ApplicationInput.Refusal(applicationId) is SecureAppException noApplication)
            {
                throw noApplication;
            }

            if (!string.IsNullOrWhiteSpace(tenantId) && TenantInput.Refusal(tenantId) is SecureAppException noTenant)
            {
                throw noTenant;
            }

            if (AccountInput.Refusal(account) is SecureAppException noAccount)
            {
                throw noAccount;
            }

            if (certificate?.Refusal() is SecureAppException noCertificate)
            {
                throw noCertificate;
            }

            string application = ApplicationInput.Id(applicationId);
            RequestBuilder Request() => new RequestBuilder("credential")
                .Text("applicationId", application)
                .Text("tenant", tenantId)
                .Text("account", account)
                .Secret("secret", secret)
                .Secret("refreshToken", refreshToken)
                .Time("acquiredOn", acquiredOn)
                .Int("mfa", mfa is bool known ? (known ? 1 : 0) : null);
            SecureAppCredential credential = certificate is { IsEmpty: false } ? certificate.Open(Request) : Opened(Request());
            if (refreshToken is not null)
            {
                credential.RefreshTokenMark = ListedPartners.Mark(application, refreshToken);
            }

            return credential;
        }

        /// <summary>Opens a credential of an application that proves nothing: users can sign in to it, and no more.</summary>
        internal static SecureAppCredential OpenPublic(string applicationId)
        {
            if (ApplicationInput.Refusal(applicationId) is SecureAppException noApplication)
            {
                throw noApplication;
            }

            return Opened(new RequestBuilder("credential").Text("applicationId", ApplicationInput.Id(applicationId)).Flag("publicClient", true));
        }

        private static SecureAppCredential Opened(RequestBuilder request)
        {
            using (request)
            {
                return new SecureAppCredential(Native.OpenCredential(request));
            }
        }

        private static SecureAppCredential FromPSCredential(PSCredential credential)
        {
            if (credential.Password.Length == 0)
            {
                throw ErrorRecords.Refusal("The PSCredential has no password.", "Make it with the application id as user name and the client secret as password.");
            }

            return Open(credential.UserName, credential.Password, null, null, null, null);
        }

        private static SecureAppCredential FromFields(List<KeyValuePair<string, object?>> fields, string what, Func<string, string> path)
        {
            string? applicationId = Text(Find(fields, s_applicationKeys));
            SecureString? secret = Secret(Find(fields, s_secretKeys), "secret");
            SecureString? refreshToken = Secret(Find(fields, s_refreshTokenKeys), "refreshToken");
            CertificateParts certificate = CertificateFields.Read(keys => Find(fields, keys), Secret, path);
            if (applicationId is null)
            {
                throw Missing(fields, what, s_applicationKeys, "appId (or clientId)");
            }

            if (secret is null && refreshToken is null && certificate.IsEmpty)
            {
                throw Missing(fields, what, s_secretKeys, "secret (or clientSecret), certificateThumbprint, certificatePath, certificate or refreshToken");
            }

            return Open(applicationId, secret, refreshToken, Text(Find(fields, s_tenantKeys)), null, null, certificate);
        }

        private static List<KeyValuePair<string, object?>> Fields(IDictionary dictionary)
        {
            List<KeyValuePair<string, object?>> fields = new List<KeyValuePair<string, object?>>(dictionary.Count);
            foreach (DictionaryEntry entry in dictionary)
            {
                fields.Add(new KeyValuePair<string, object?>(Convert.ToString(entry.Key) ?? string.Empty, Unwrap(entry.Value)));
            }

            return fields;
        }

        private static List<KeyValuePair<string, object?>> Fields(PSObject source)
        {
            HashSet<string> wanted = new HashSet<string>(
                s_applicationKeys.Concat(s_secretKeys).Concat(s_refreshTokenKeys).Concat(s_tenantKeys).Concat(CertificateFields.Keys), StringComparer.OrdinalIgnoreCase);

            // Only what is needed is read: a property of a foreign object may do anything when it is.
            return source.Properties
                .Select(property => new KeyValuePair<string, object?>(
                    property.Name, wanted.Contains(property.Name) ? Unwrap(property.Value) : null))
                .ToList();
        }

        private static object? Find(List<KeyValuePair<string, object?>> fields, string[] names)
        {
            foreach (string name in names)
            {
                foreach (KeyValuePair<string, object?> field in fields)
                {
                    if (string.Equals(field.Key, name, StringComparison.OrdinalIgnoreCase) && !IsEmpty(field.Value))
                    {
                        return field.Value;
                    }
                }
            }

            return null;
        }

        private static bool IsEmpty(object? value) => value switch
        {
            null => true,
            string text => string.IsNullOrWhiteSpace(text),
            SecureString secure => secure.Length == 0,
            _ => false,
        };

        private static string? Text(object? value) => value is null ? null : Convert.ToString(value)?.Trim();

        private static SecureString? Secret(object? value, string name) => value switch
        {
            null => null,
            SecureString secure => secure,
            string text => Secure(text),
            _ => throw ErrorRecords.Refusal("The credential's '" + name + "' is a " + value.GetType().Name + ".", "Give it as a string or a SecureString."),
        };

        internal static SecureString Secure(string text)
        {
            SecureString secure = new SecureString();
            foreach (char character in text)
            {
                secure.AppendChar(character);
            }

            secure.MakeReadOnly();
            return secure;
        }

        private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

        private static SecureAppException Missing(List<KeyValuePair<string, object?>> fields, string what, string[] names, string wanted)
        {
            if (fields.Any(field => names.Contains(field.Key, StringComparer.OrdinalIgnoreCase)))
            {
                return ErrorRecords.Refusal(
                    "The credential's " + wanted + " is empty.",
                    "Check that the variable it comes from has a value in this session.");
            }

            string found = fields.Count == 0 ? "it has none" : "it has: " + string.Join(", ", fields.Select(field => Shown.Key(field.Key)));
            return ErrorRecords.Refusal("The credential " + what + " has no key " + wanted + "; " + found + ".", Shape);
        }
    }
}
