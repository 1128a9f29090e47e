using System;
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
                Add(record, fields);
                Append(record, "RecordTypeName", value.OptionalText("recordType"));
            }
            else
            {
                record.TypeNames.Insert(0, "SecureAppModel.UnreadableAuditRecord");
                Append(record, "Text", value.Text("text"));
                Append(record, "Flaw", value.Text("flaw"));
            }

            Append(record, "TenantId", value.Text("tenantId"));
            return record;
        }

        /// <summary>A map's entries as properties; of two whose names differ in case alone the first.</summary>
        internal static void Add(PSObject target, ValueMap fields)
        {
            foreach (KeyValuePair<string, object?> field in fields.Entries)
            {
                Append(target, field.Key, Value(field.Value));
            }
        }

        /// <summary>Adds a property; one of that name that is there stays.</summary>
        internal static void Append(PSObject target, string name, object? value)
        {
            if (name.Length > 0 && target.Properties[name] is null)
            {
                target.Properties.Add(new PSNoteProperty(name, value));
            }
        }

        /// <summary>A value as the pipeline knows it: maps as objects, lists as arrays.</summary>
        internal static object? Value(object? value)
        {
            switch (value)
            {
                case ValueMap map:
                    PSObject nested = new PSObject();
                    Add(nested, map);
                    return nested;
                case IReadOnlyList<object?> list:
                    return list.Select(Value).ToArray();
                default:
                    return value;
            }
        }
    }
}
