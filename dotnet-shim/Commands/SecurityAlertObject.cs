using System.Collections.Generic;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>A security alert as an object: whose it is, then all that the service says of it, under its own names.</summary>
    internal static class SecurityAlertObject
    {
        private const string TypeName = "SecureAppModel.DelegatedTenantSecurityAlert";

        internal static PSObject Of(ValueMap record)
        {
            PSObject alert = new PSObject();
            alert.TypeNames.Insert(0, TypeName);
            ObjectValue.Append(alert, "TenantId", record.Text("tenantId"));
            ObjectValue.Append(alert, "DisplayName", record.OptionalText("displayName"));
            foreach (KeyValuePair<string, object?> field in (record.Map("fields") ?? ValueMap.Empty).Entries)
            {
                // What OData says of the object is not the alert's.
                if (!field.Key.Contains("@"))
                {
                    ObjectValue.Append(alert, Named(field.Key), ObjectValue.Value(field.Value));
                }
            }

            return alert;
        }

        /// <summary>A property's name as PowerShell's objects have it.</summary>
        private static string Named(string key) => key.Length == 0 ? key : char.ToUpperInvariant(key[0]) + key.Substring(1);
    }
}
