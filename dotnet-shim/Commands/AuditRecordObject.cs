using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Audit records as objects with the fields that the service gave them.</summary>
    internal static class AuditRecordObject
    {
        private const string TypeName = "SecureAppModel.AuditRecord";

        /// <summary>True for a record, false for what is told of a tenant.</summary>
        internal static bool IsRecord(ValueMap value) => value.Get("records") is string;

        /// <summary>
        /// One record. Its type name ends in what it is (AuditLog, AuditLogQuery, SignIns, ..), after which the views go. What is
        /// no JSON text has its text and what is wrong with it.
        /// </summary>
        internal static PSObject Of(ValueMap value)
        {
            PSObject record = new PSObject();
            if (value.Map("fields") is ValueMap fields)
            {
                record.TypeNames.Insert(0, TypeName);
                record.TypeNames.Insert(0, TypeName + "#" + value.Text("records"));
                ObjectValue.Add(record, fields);
                ObjectValue.Append(record, "RecordTypeName", value.OptionalText("recordType"));
                if (value.Get("applications") is IReadOnlyList<object?> applications)
                {
                    ObjectValue.Append(record, "Applications", applications.Select(ObjectValue.Value).ToArray());
                }
            }
            else
            {
                record.TypeNames.Insert(0, "SecureAppModel.UnreadableAuditRecord");
                ObjectValue.Append(record, "Text", value.Text("text"));
                ObjectValue.Append(record, "Flaw", value.Text("flaw"));
            }

            ObjectValue.Append(record, "TenantId", value.Text("tenantId"));
            return record;
        }
    }
}
