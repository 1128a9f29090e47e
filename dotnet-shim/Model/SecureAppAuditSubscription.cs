using System;
using System.Globalization;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A tenant's subscription to one content type of the Management Activity feed.</summary>
    public sealed class SecureAppAuditSubscription
    {
        internal SecureAppAuditSubscription(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            ContentType = record.Text("contentType");
            Status = record.Text("status");
            Changed = record.Flag("changed");
            WebhookAddress = record.OptionalText("webhookAddress");
            WebhookStatus = record.OptionalText("webhookStatus");
            WebhookExpiration = Expiration(record.OptionalText("webhookExpiration"));
        }

        public string TenantId { get; }

        public string? DisplayName { get; }

        public string ContentType { get; }

        /// <summary>Enabled, Disabled, or None where there has never been one.</summary>
        public string Status { get; }

        /// <summary>True where this command has started or stopped it.</summary>
        public bool Changed { get; }

        /// <summary>Where the service announces new content to another program; it can be listed all the same.</summary>
        public string? WebhookAddress { get; }

        public string? WebhookStatus { get; }

        public DateTimeOffset? WebhookExpiration { get; }

        public override string ToString() => TenantId + " " + ContentType + ": " + Status;

        private static DateTimeOffset? Expiration(string? text) =>
            DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time) ? time : null;
    }
}
