using System;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Gives tenants' security alerts as objects while they come.</summary>
    [Cmdlet(VerbsCommon.Get, "DelegatedTenantSecurityAlert")]
    [OutputType(typeof(PSObject))]
    public sealed class GetDelegatedTenantSecurityAlertCommand : SecurityCmdlet
    {
        [Parameter]
        [ValidateSet("High", "Medium", "Low", "Informational", "Unknown")]
        public string[]? Severity { get; set; }

        [Parameter]
        [ValidateSet("New", "InProgress", "Resolved", "Unknown")]
        public string[]? Status { get; set; }

        /// <summary>The products, by the names that the service has for them.</summary>
        [Parameter]
        [ArgumentCompleter(typeof(ServiceSourceCompleter))]
        public string[]? ServiceSource { get; set; }

        /// <summary>The first moment of the alerts' own times.</summary>
        [Parameter]
        [TimeTransformation]
        public DateTime? Since { get; set; }

        internal override string Kind => "security_alerts";

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(Severity), nameof(Status), nameof(ServiceSource), nameof(Since));
            base.BeginProcessing();
        }

        internal override void Ask(RequestBuilder request) => request
            .Texts("severities", Distinct(Severity))
            .Texts("statuses", Distinct(Status))
            .Texts("serviceSources", Distinct(ServiceSource))
            .Time("since", Since is DateTime since ? new DateTimeOffset(since.ToUniversalTime()) : null);

        internal override void OnRecord(ValueMap record) => WriteObject(SecurityAlertObject.Of(record));

        private static string[]? Distinct(string[]? names) => names?.Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
    }
}
