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
            Result = record.Text("result");
            Detail = record.Text("detail");
            Code = record.Text("code");
            Remedy = record.Text("remedy");
        }

        public string Check { get; }

        /// <summary>The host, tenant or resource that it was tried with.</summary>
        public string Target { get; }

        /// <summary>Pass, Warn or Fail.</summary>
        public string Result { get; }

        public string Detail { get; }

        /// <summary>The service's own code, for example AADSTS7000215.</summary>
        public string Code { get; }

        /// <summary>What to do next.</summary>
        public string Remedy { get; }

        public override string ToString() => Result + ": " + Check + " " + Target;
    }
}
