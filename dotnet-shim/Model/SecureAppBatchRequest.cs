using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Commands;

namespace SecureAppModel
{
    /// <summary>One request of a batch, or why what was given is none.</summary>
    public sealed class SecureAppBatchRequest
    {
        private const string Advice = "Give a url, or a hashtable or object with url and, where wanted, id, method, headers, body and dependsOn.";

        private static readonly string[] s_known = { "id", "method", "url", "headers", "body", "dependsOn" };

        private readonly Dictionary<string, object?> _fields;

        private SecureAppBatchRequest(Dictionary<string, object?> fields)
        {
            _fields = fields;
            string? unknown = fields.Keys.FirstOrDefault(name => !s_known.Contains(name, StringComparer.OrdinalIgnoreCase));
            Refusal = unknown is null ? null : ErrorRecords.Refusal("A request of a batch has no " + Shown.Key(unknown) + ".", Advice);
        }

        public string? Id => Field("id")?.ToString();

        public string Method => Field("method")?.ToString() ?? "GET";

        /// <summary>Relative to the version.</summary>
        public string Url => Field("url")?.ToString() ?? string.Empty;

        public object? Headers => Field("headers");

        public object? Body => Field("body");

        /// <summary>The ids of requests before it that must have succeeded.</summary>
        public string[] DependsOn => Field("dependsOn") switch
        {
            null => Array.Empty<string>(),
            string one => new[] { one },
            IEnumerable many => many.Cast<object?>().Select(one => one?.ToString() ?? string.Empty).ToArray(),
            object one => new[] { one.ToString() ?? string.Empty },
        };

        /// <summary>Why it is no request; an error here, where it is bound, would repeat all that is in it.</summary>
        internal SecureAppException? Refusal { get; }

        internal static SecureAppBatchRequest Read(object? input)
        {
            object? bare = (input as PSObject)?.BaseObject ?? input;
            Dictionary<string, object?> fields = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
            switch (bare)
            {
                case SecureAppBatchRequest request:
                    return request;
                case null:
                case string _:
                    fields["url"] = bare;
                    break;
                case IDictionary table:
                    foreach (DictionaryEntry entry in table)
                    {
                        fields[entry.Key.ToString() ?? string.Empty] = entry.Value;
                    }

                    break;
                default:
                    foreach (PSPropertyInfo property in PSObject.AsPSObject(input!).Properties)
                    {
                        fields[property.Name] = property.Value;
                    }

                    break;
            }

            return new SecureAppBatchRequest(fields);
        }

        private object? Field(string name) =>
            _fields.TryGetValue(name, out object? value) ? (value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value) : null;
    }
}
