using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Takes tenants as texts, GUIDs or whole customer objects. PowerShell turns an object into its text before it looks
    /// for a property that is not a string, so a customer whose id is a [guid] would never bind by property name.
    /// </summary>
    internal sealed class TenantTransformationAttribute : ArgumentTransformationAttribute
    {
        private static readonly string[] s_properties = { "TenantId", "CustomerId", "CustomerContextId", "Tenant" };

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

            return tenants.ToArray();
        }

        private static string Tenant(object? input)
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
                    throw new ArgumentTransformationMetadataException("A credential is not a tenant: name it, as in -Credential $credential.");
                case IDictionary dictionary:
                    foreach (string name in s_properties)
                    {
                        if (dictionary.Contains(name))
                        {
                            return Tenant(dictionary[name]);
                        }
                    }

                    throw Refuse("hashtable");
            }

            PSObject customer = PSObject.AsPSObject(input);
            foreach (string name in s_properties)
            {
                if (customer.Properties[name]?.Value is object id)
                {
                    return Base(id) is Guid guid ? guid.ToString("D") : id.ToString() ?? string.Empty;
                }
            }

            throw Refuse(customer.TypeNames.Count > 0 ? customer.TypeNames[0] : "object");
        }

        private static object? Base(object? value) =>
            value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

        /// <summary>Names the type only: the object's text may hold anything, a secret too.</summary>
        private static ArgumentTransformationMetadataException Refuse(string type) =>
            new ArgumentTransformationMetadataException(
                "An input of type " + type + " names no tenant. Give tenant ids or domains, or objects with a property " + string.Join(", ", s_properties) + ".");
    }
}
