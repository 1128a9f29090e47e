using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>The requests of Graph's batches, as they come through the pipeline.</summary>
    public sealed partial class InvokeSecureAppRequestCommand
    {
        private const string BatchUri = "/v1.0/$batch";
        private const string RequestAdvice = "Give a url, or a hashtable or object with url and, where wanted, id, method, headers, body and dependsOn.";

        private static readonly string[] s_fields = { "id", "method", "url", "headers", "body", "dependsOn" };

        private void OnRequest(PSObject request)
        {
            Dictionary<string, object?> fields;
            string[] headers;
            string? body;
            try
            {
                fields = Fields(request);
                headers = HeaderInput.Texts(Field(fields, "headers"));
                body = Field(fields, "body") is object content ? Text(content) : null;
            }
            catch (SecureAppException refusal)
            {
                FailItem(refusal, null);
                return;
            }

            string url = Field(fields, "url")?.ToString() ?? string.Empty;
            string method = Field(fields, "method")?.ToString() ?? Get;
            foreach (string? tenant in IsForOwnTenant ? new string?[] { null } : TenantId!)
            {
                if (!Confirmed(tenant, null, method, url))
                {
                    continue;
                }

                StartOnce("rest_batch", Uri ?? BatchUri);
                using RequestBuilder item = Item("request", tenant)
                    .Text("id", Field(fields, "id")?.ToString())
                    .Text("method", method)
                    .Text("url", url)
                    .Texts("headers", headers)
                    .Text("body", body)
                    .Texts("dependsOn", Texts(Field(fields, "dependsOn")));
                Submit(item);
            }
        }

        /// <exception cref="SecureAppException">It is no request.</exception>
        private static Dictionary<string, object?> Fields(PSObject request)
        {
            object bare = request.BaseObject;
            Dictionary<string, object?> fields = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
            if (bare is string url)
            {
                fields["url"] = url;
                return fields;
            }

            if (bare is IDictionary table)
            {
                foreach (DictionaryEntry entry in table)
                {
                    fields[entry.Key.ToString() ?? string.Empty] = entry.Value;
                }
            }
            else
            {
                foreach (PSPropertyInfo property in request.Properties)
                {
                    fields[property.Name] = property.Value;
                }
            }

            string? unknown = fields.Keys.FirstOrDefault(name => !s_fields.Contains(name, StringComparer.OrdinalIgnoreCase));
            if (unknown is not null)
            {
                throw ErrorRecords.Refusal("A request of a batch has no " + Shown.Key(unknown) + ".", RequestAdvice);
            }

            return fields;
        }

        private static object? Field(Dictionary<string, object?> fields, string name) =>
            fields.TryGetValue(name, out object? value) ? value : null;

        private static IEnumerable<string>? Texts(object? value) => ((value as PSObject)?.BaseObject ?? value) switch
        {
            null => null,
            string text => new[] { text },
            IEnumerable many => many.Cast<object?>().Select(one => one?.ToString() ?? string.Empty),
            object one => new[] { one.ToString() ?? string.Empty },
        };
    }
}
