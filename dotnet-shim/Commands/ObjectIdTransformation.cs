using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Takes ids as texts or GUIDs, and objects that have them: audit records, service principals, rows of a table. An audit record has
    /// several, and its own Id is none of them.
    /// </summary>
    internal sealed class ObjectIdTransformationAttribute : ArgumentTransformationAttribute
    {
        /// <summary>Stands before a text that is a field of an object: it may hold no id at all. No text that a user can give.</summary>
        internal const char Field = '\0';

        private static readonly string[] s_ids = { "ObjectId", "AppId", "ApplicationId", "ClientAppId", "ServicePrincipalId", "ResourceId" };

        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            List<string> ids = new List<string>();
            Add(ids, inputData);
            return ids.ToArray();
        }

        private static void Add(List<string> ids, object? input)
        {
            object? value = Base(input);
            switch (value)
            {
                case null:
                    ids.Add(string.Empty);
                    return;
                case string text:
                    ids.Add(text);
                    return;
                case Guid id:
                    ids.Add(id.ToString("D"));
                    return;
                case IDictionary table:
                    AddFields(ids, name => table.Keys.Cast<object>().Where(key => string.Equals(key as string, name, StringComparison.OrdinalIgnoreCase)).Select(key => table[key]).FirstOrDefault());
                    return;
                case IEnumerable items:
                    foreach (object? item in items)
                    {
                        Add(ids, item);
                    }

                    return;
                default:
                    PSObject properties = PSObject.AsPSObject(input);
                    AddFields(ids, name => properties.Properties[name]?.Value);
                    return;
            }
        }

        private static void AddFields(List<string> ids, Func<string, object?> field)
        {
            string[] found = s_ids.Select(field).Select(Text).Where(text => text.Length > 0).ToArray();
            string[] texts = found.Length > 0 ? found : new[] { Text(field("Id")) };
            ids.AddRange(texts.Select(text => Field + text));
        }

        private static string Text(object? value) => Base(value) switch
        {
            Guid id => id.ToString("D"),
            string text => text,
            _ => string.Empty,
        };

        private static object? Base(object? value) =>
            value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;
    }
}
