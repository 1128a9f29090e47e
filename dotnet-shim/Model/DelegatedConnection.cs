using System;

namespace SecureAppModel
{
    /// <summary>A service that was connected, and until when its token lasts.</summary>
    public sealed class DelegatedConnection
    {
        internal DelegatedConnection(string service, string tenantId, string account, DateTimeOffset? expiresOn, string command)
        {
            Service = service;
            TenantId = tenantId;
            Account = account;
            ExpiresOn = expiresOn;
            Command = command;
        }

        public string Service { get; }

        /// <summary>The tenant that the token is for; the partner's own for Partner Center; as it was named, with a certificate.</summary>
        public string TenantId { get; }

        /// <summary>The user, or the application's id where there is none.</summary>
        public string Account { get; }

        /// <summary>When the first of its tokens ends; connect again before. Null where a certificate was given, which the module itself signs in with.</summary>
        public DateTimeOffset? ExpiresOn { get; }

        /// <summary>The cmdlet that was called.</summary>
        public string Command { get; }

        public override string ToString() => Service + " " + TenantId;
    }
}
