using System;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Gives tenants' audit records as objects while they come, each once.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppAuditLog")]
    [OutputType(typeof(PSObject))]
    public sealed class GetSecureAppAuditLogCommand : AuditLogCmdlet
    {
        /// <summary>Looks up what the applications in the records are called.</summary>
        [Parameter]
        public SwitchParameter ResolveApplication { get; set; }

        protected override void BeginProcessing()
        {
            CheckTenants();
            // What is there now: whoever wants the rest as well waits for it, or exports.
            CheckAsked(TimeSpan.Zero);
            TakeCredential();
        }

        internal override void OnRecord(ValueMap record)
        {
            if (AuditRecordObject.IsRecord(record))
            {
                WriteObject(AuditRecordObject.Of(record));
                return;
            }

            // What is told of a tenant after its records.
            AuditGap[] gaps = record.Maps("gaps").Select(gap => new AuditGap(gap)).ToArray();
            if (record.Flag("complete") && gaps.Length == 0)
            {
                return;
            }

            string tenant = Asked(record) ?? record.Text("tenantId");
            string why = record.OptionalText("reason") ?? string.Join("; ", gaps.Select(gap => gap.ToString()));
            SecureAppException incomplete = new SecureAppException(
                SecureAppErrorKind.Protocol,
                "Not all records of " + (record.OptionalText("displayName") ?? tenant) + " came: " + why + ".",
                "Ask for that time again, or use Export-SecureAppAuditLog, which keeps what came and fetches only the rest.");
            WriteError(ErrorRecords.From(incomplete, tenant, "IncompleteRead"));
        }

        internal override void OnTenant(string tenant, string? displayName)
        {
            if (!IsStarted)
            {
                using RequestBuilder request = RequestForRecords("audit_read").Flag("resolveApplication", ResolveApplication);
                Start(request);
            }

            SubmitTenant(tenant, displayName);
        }
    }
}
