using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>One thing that was tried with a credential, and how it went.</summary>
    public sealed class SecureAppCredentialCheck
    {
        internal SecureAppCredentialCheck(ValueMap record)
        {
            Check = record.Text("check");
            Target = record.Text("target");
            TenantId = record.Text("tenantId");
            Result = record.Text("result");
            Detail = record.Text("detail");
            Code = record.Text("code");
            Remedy = record.Text("remedy");
        }

        public string Check { get; }

        /// <summary>The host, application, user, tenant or resource that it was tried with.</summary>
        public string Target { get; }

        /// <summary>The tenant, as it was named, where the check is one of a tenant's own; empty otherwise.</summary>
        public string TenantId { get; }

        /// <summary>Pass, Warn, Fail or Skipped.</summary>
        public string Result { get; }

        public string Detail { get; }

        /// <summary>The service's own code, for example AADSTS7000215.</summary>
        public string Code { get; }

        /// <summary>What to do next.</summary>
        public string Remedy { get; }

        public override string ToString() => Result + ": " + Check + " " + Target;
    }
}
