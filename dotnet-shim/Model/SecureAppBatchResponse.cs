using System.Collections;
using SecureAppModel.Commands;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>The answer to one request of a batch.</summary>
    public sealed class SecureAppBatchResponse
    {
        internal SecureAppBatchResponse(ValueMap record)
        {
            Id = record.Text("id");
            TenantId = record.OptionalText("tenantId");
            Method = record.Text("method");
            Url = record.Text("url");
            ValueMap answer = record.Map("answer") ?? ValueMap.Empty;
            Status = (int)answer.Int("status");
            Body = ObjectValue.Value(answer.Get("body"));
            foreach (var header in (answer.Map("headers") ?? ValueMap.Empty).Entries)
            {
                Headers[header.Key] = header.Value;
            }
        }

        /// <summary>The request's id: its own, or its number.</summary>
        public string Id { get; }

        public string? TenantId { get; }

        public string Method { get; }

        public string Url { get; }

        /// <summary>HTTP status; always a success, because refusals are errors.</summary>
        public int Status { get; }

        /// <summary>What the service answered; null where it answered with nothing.</summary>
        public object? Body { get; }

        public Hashtable Headers { get; } = new Hashtable(System.StringComparer.OrdinalIgnoreCase);
    }
}
