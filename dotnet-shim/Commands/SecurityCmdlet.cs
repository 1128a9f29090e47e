using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands on the security of tenants, as Microsoft Graph tells it.</summary>
    public abstract class SecurityCmdlet : TenantCmdlet
    {
        private SecureAppCredential? _credential;
        private bool _begun;

        [Parameter(Position = 1)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The kind of the native operation.</summary>
        internal abstract string Kind { get; }

        protected override void BeginProcessing()
        {
            CheckTenants();
            TakeCredential();
        }

        /// <summary>Adds to the operation's request what it shall look at.</summary>
        internal abstract void Ask(RequestBuilder request);

        /// <summary>Who asks; once for the whole command.</summary>
        internal SecureAppCredential TakeCredential() => _credential ??= ResolveCredential(Credential);

        internal override void OnTenant(string tenant, string? displayName)
        {
            if (!_begun)
            {
                _begun = true;
                using RequestBuilder request = Request(Kind, TakeCredential());
                Ask(request);
                Restart(request);
            }

            using RequestBuilder item = Item(tenant, displayName);
            Submit(item);
        }
    }
}
