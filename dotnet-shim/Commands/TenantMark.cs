using System;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Says of a result which tenant it is of, as PSComputerName says it of a computer: by properties that no service has, which do
    /// not go back to it with the object.
    /// </summary>
    internal static class TenantMark
    {
        internal const string Id = "PSTenantId";
        internal const string Name = "PSTenantName";

        internal static bool IsOne(string property) =>
            property.Equals(Id, StringComparison.OrdinalIgnoreCase) || property.Equals(Name, StringComparison.OrdinalIgnoreCase);

        /// <summary>The object with its marks; null, which can bear none, as it is.</summary>
        internal static object? On(object? value, string tenantId, string? name)
        {
            if (value is null)
            {
                return null;
            }

            PSObject marked = PSObject.AsPSObject(value);
            Set(marked, Id, tenantId);
            if (name is not null)
            {
                Set(marked, Name, name);
            }

            return marked;
        }

        private static void Set(PSObject marked, string name, string value)
        {
            marked.Properties.Remove(name);
            marked.Properties.Add(new PSNoteProperty(name, value));
        }
    }
}
