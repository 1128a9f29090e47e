using System;
using System.Collections;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Runs an Exchange Online cmdlet in one tenant or many, over the service's own interface.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "SecureAppExchangeCommand", SupportsShouldProcess = true)]
    [OutputType(typeof(PSObject))]
    public sealed class InvokeSecureAppExchangeCommandCommand : TenantCmdlet
    {
        private static readonly string[] s_reading = { "Get-", "Search-", "Test-" };

        private SecureAppCredential? _credential;
        private string _parameters = string.Empty;

        /// <summary>The cmdlet's name, such as Get-Mailbox.</summary>
        [Parameter(Position = 0, Mandatory = true)]
        [Alias("CmdletName")]
        public string CommandName { get; set; } = string.Empty;

        /// <summary>The cmdlet's own parameters; a switch is $true.</summary>
        [Parameter(Position = 1)]
        public IDictionary? Parameters { get; set; }

        /// <summary>The cmdlet's name stands first here, as it does on any command line.</summary>
        [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public override string[]? TenantId { get; set; }

        /// <summary>The mailbox that requests are routed by; the organization's own where none is given.</summary>
        [Parameter]
        public string? AnchorMailbox { get; set; }

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        internal override bool IsForAll => !IsGiven(nameof(TenantId)) && !MyInvocation.ExpectingInput;

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(CommandName), nameof(TenantId), nameof(AnchorMailbox));
            if (!IsForAll)
            {
                CheckTenants();
            }

            _parameters = Guarded(() => JsonText.ForExchange(Parameters ?? new Hashtable()), null);
            _credential = ResolveCredential(Credential);
            if (IsForAll && _credential.TenantId is null)
            {
                FailInput("No tenant was given, and the credential does not name its own.", "Use -TenantId.", null);
            }
        }

        protected override void EndProcessing()
        {
            if (IsForAll)
            {
                OnTenant(_credential!.TenantId!, null);
            }

            base.EndProcessing();
        }

        internal override void OnTenant(string tenant, string? displayName)
        {
            StartOnce();
            if (!s_reading.Any(verb => CommandName.Trim().StartsWith(verb, StringComparison.OrdinalIgnoreCase)) && !ShouldProcess(Title(tenant, displayName), CommandName.Trim() + Named()))
            {
                return;
            }

            using RequestBuilder item = Item(tenant, displayName);
            Submit(item);
        }

        internal override void OnRecord(ValueMap record) =>
            WriteObject(TenantMark.On(ObjectValue.Value(record.Get("body")), record.Text("tenantId"), record.OptionalText("displayName")));

        /// <summary>Which parameters, and none of their values: one may be a secret.</summary>
        private string Named() => string.Concat((Parameters?.Keys.Cast<object>() ?? Array.Empty<object>()).Select(name => " -" + name).OrderBy(name => name, StringComparer.OrdinalIgnoreCase));

        /// <summary>The operation; nothing is sent before it has an item.</summary>
        private void StartOnce()
        {
            if (IsStarted)
            {
                return;
            }

            using RequestBuilder request = Request("exchange_command", _credential!)
                .Text("cmdlet", CommandName)
                .Text("parameters", _parameters)
                .Text("anchorMailbox", AnchorMailbox);
            Start(request);
        }
    }
}
