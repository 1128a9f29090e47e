using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Takes tenants as texts, GUIDs or whole customer objects. PowerShell turns an object into its text before it looks
    /// for a property that is not a string, so a customer whose id is a [guid] would never bind by property name.
    /// </summary>
    /// <remarks>
    /// What names no tenant becomes a mark that <see cref="TenantInput"/> refuses: an error raised here would carry the piped
    /// object, with whatever is in it.
    /// </remarks>
    internal sealed class TenantTransformationAttribute : ArgumentTransformationAttribute
    {
        internal static readonly string[] Properties = { "TenantId", "CustomerId", "CustomerContextId", "Tenant" };
        private static readonly string[] s_secrets = { "secret", "clientSecret", "refreshToken" };

        /// <summary>For a parameter that takes a single tenant.</summary>
        public bool One { get; set; }

        /// <summary>One more property of objects that names the tenant.</summary>
        public string? Also { get; set; }

        private IEnumerable<string> Names => Also is null ? Properties : Properties.Append(Also);

        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = Base(inputData);
            if (value is null)
            {
                return null;
            }

            List<string> tenants = new List<string>();
            if (value is IEnumerable items and not string and not IDictionary)
            {
                foreach (object? item in items)
                {
                    tenants.Add(Tenant(item));
                }
            }
            else
            {
                tenants.Add(Tenant(inputData));
            }

            return One && tenants.Count == 1 ? tenants[0] : tenants.ToArray();
        }

        private string Tenant(object? input)
        {
            switch (Base(input))
            {
                case null:
                    return string.Empty;
                case string text:
                    return text;
                case Guid id:
                    return id.ToString("D");
                // These name a tenant, but whoever passes one here meant it as the credential.
                case SecureAppCredential _:
                case PSCredential _:
                    return TenantInput.Credential;
                case IDictionary dictionary:
                    return FromDictionary(dictionary);
            }

            PSObject customer = PSObject.AsPSObject(input);
            foreach (string name in Names)
            {
                if (customer.Properties[name]?.Value is object id)
                {
                    // With a cast error inside, PowerShell goes on to the property's name where the object was piped: so a row of a
                    // table of applications is a tenant in a pipeline, and no argument.
                    return customer.BaseObject is not SecureAppAccessToken && s_secrets.Any(secret => customer.Properties[secret]?.Value is not null)
                        ? throw new ArgumentTransformationMetadataException(TenantInput.Refusal(TenantInput.Credential)!.Message, new PSInvalidCastException())
                        : TenantOrigin.Mark(Base(id) is Guid guid ? guid.ToString("D") : id.ToString() ?? string.Empty, customer);
                }
            }

            return s_secrets.Any(secret => customer.Properties[secret] is not null) ? TenantInput.Credential : TenantInput.NoTenant;
        }

        private string FromDictionary(IDictionary dictionary)
        {
            object? id = null;
            foreach (DictionaryEntry entry in dictionary)
            {
                string key = entry.Key as string ?? string.Empty;
                if (s_secrets.Contains(key, StringComparer.OrdinalIgnoreCase))
                {
                    return TenantInput.Credential;
                }

                if (id is null && Names.Contains(key, StringComparer.OrdinalIgnoreCase))
                {
                    id = entry.Value;
                }
            }

            return id is null ? TenantInput.NoTenant : Tenant(id);
        }

        private static object? Base(object? value) =>
            value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;
    }
}
