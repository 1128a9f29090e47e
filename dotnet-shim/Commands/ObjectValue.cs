using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What a service gave as JSON, as the pipeline knows it.</summary>
    internal static class ObjectValue
    {
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
