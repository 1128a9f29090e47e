using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Headers as the native library takes them: names and values by turns.</summary>
    internal static class HeaderInput
    {
        /// <param name="headers">A hashtable, or an object whose properties are the headers.</param>
        /// <exception cref="SecureAppException">A header has no value.</exception>
        internal static string[] Texts(object? headers)
        {
            List<string> texts = new List<string>();
            foreach (KeyValuePair<string, object?> header in Entries(headers))
            {
                string? value = header.Value is IEnumerable many and not string
                    ? string.Join(", ", many.Cast<object?>())
                    : header.Value?.ToString();
                if (string.IsNullOrEmpty(value))
                {
                    throw ErrorRecords.Refusal("The header " + Shown.Key(header.Key) + " has no value.", "Give it one, or leave it out.");
                }

                texts.Add(header.Key);
                texts.Add(value!);
            }

            return texts.ToArray();
        }

        private static IEnumerable<KeyValuePair<string, object?>> Entries(object? headers) =>
            ((headers as PSObject)?.BaseObject ?? headers) switch
            {
                null => Array.Empty<KeyValuePair<string, object?>>(),
                IDictionary table => table.Keys.Cast<object>().Select(key => new KeyValuePair<string, object?>(key.ToString() ?? string.Empty, table[key])),
                _ => PSObject.AsPSObject(headers!).Properties.Select(property => new KeyValuePair<string, object?>(property.Name, property.Value)),
            };
    }
}
