using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Exports tenants' audit logs to files, each record exactly once.</summary>
    [Cmdlet(VerbsData.Export, "SecureAppAuditLog", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppAuditExport), typeof(PSObject))]
    public sealed class ExportSecureAppAuditLogCommand : AuditLogCmdlet
    {
        private static readonly string[] s_knownFromBefore =
        {
            nameof(Source), nameof(ContentType), nameof(RecordType), nameof(Operation), nameof(UserId), nameof(IPAddress), nameof(ObjectId),
            nameof(FreeText), nameof(StartTime), nameof(EndTime), nameof(Month), nameof(Format), nameof(Bom),
            nameof(Flatten), nameof(Compression), nameof(Force),
        };

        private readonly List<string> _unfinished = new List<string>();

        /// <summary>The tenants to go on with; none are all that the folder holds.</summary>
        private readonly List<string> _named = new List<string>();

        /// <summary>What there is to go on with, while it is being asked for.</summary>
        private List<ValueMap>? _resumable;
        private string _folder = string.Empty;
        private bool _isWriting;

        /// <summary>The folder to write to, taken literally; created where it is missing.</summary>
        [Parameter(Position = 1)]
        public string? Path { get; set; }

        [Parameter]
        [ValidateSet("Ndjson", "Csv")]
        public string Format { get; set; } = "Ndjson";

        /// <summary>Starts CSV files with a byte order mark, by which Excel knows that they are UTF-8.</summary>
        [Parameter]
        public SwitchParameter Bom { get; set; }

        /// <summary>A column for each field of the records, instead of the columns of Search-UnifiedAuditLog.</summary>
        [Parameter]
        public SwitchParameter Flatten { get; set; }

        [Parameter]
        [ValidateSet("None", "Gzip", "Zstd")]
        public string Compression { get; set; } = "None";

        /// <summary>Bytes of memory for the list of records that are written already, of all tenants together.</summary>
        [Parameter]
        [ValidateRange(1L << 20, long.MaxValue)]
        public long? MaxMemory { get; set; }

        /// <summary>Goes on with what earlier exports into the folder asked for and did not get.</summary>
        [Parameter]
        public SwitchParameter Resume { get; set; }

        /// <summary>Gives the records that are new as objects, instead of a result for each tenant.</summary>
        [Parameter]
        public SwitchParameter PassThru { get; set; }

        /// <summary>Starts each tenant's folder anew: what earlier exports wrote there is removed.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        /// <summary>Ends with an error where anything is missing; all tenants are exported first.</summary>
        [Parameter]
        public SwitchParameter FailOnGap { get; set; }

        /// <summary>A folder names its tenants; those of a pipeline in which none is usable are not all of them.</summary>
        internal override bool IsForAll => Resume && !MyInvocation.ExpectingInput && !IsGiven(nameof(TenantId));

        protected override void BeginProcessing()
        {
            Check(AuditFiles.Missing(Path), null);
            if (Resume)
            {
                CheckResume();
            }
            else
            {
                CheckTenants();
                Check(AuditFiles.Refusal(Format, Bom, Flatten), null);
                CheckAsked();
            }

            _folder = Guarded(() => OutputFolder.Resolve(SessionState, Path!), new FilePath(Path));
            TakeCredential();
        }

        protected override void EndProcessing()
        {
            if (Resume)
            {
                GoOn();
            }

            Complete();
            if (FailOnGap && _unfinished.Count > 0)
            {
                SecureAppException incomplete = new SecureAppException(
                    SecureAppErrorKind.Protocol,
                    "The audit log of " + _unfinished.Count + " of " + (Items == 1 ? "1 tenant" : Items + " tenants") + " is not complete: " + string.Join(", ", _unfinished.Select(Shown.Text)) + ".",
                    "See Gaps, Reason and Error of their results. The same command fetches what did not come when it is run again. It does not write again what a folder has lost: put that back from a backup, or start that tenant's folder anew with -Force.");
                ThrowTerminatingError(ErrorRecords.From(incomplete, _unfinished.ToArray(), "IncompleteExport"));
            }
        }

        internal override void OnRecord(ValueMap record)
        {
            if (_resumable is not null)
            {
                _resumable.Add(record);
                return;
            }

            if (AuditRecordObject.IsRecord(record))
            {
                WriteObject(AuditRecordObject.Of(record));
                return;
            }

            SecureAppAuditExport result = new SecureAppAuditExport(record);
            bool isUnfinished = !result.Complete || result.Gaps.Length > 0;
            if (isUnfinished)
            {
                Unfinished(Asked(record) ?? result.TenantId);
            }

            if (!PassThru)
            {
                WriteObject(result);
            }
            else if (isUnfinished && result.Error is null)
            {
                WriteWarning("The audit log of " + (result.DisplayName ?? result.TenantId) + " is not complete: " + (result.Reason ?? string.Join("; ", result.Gaps.Select(gap => gap.ToString()))) + ". Export-SecureAppAuditLog -Resume fetches what did not come.");
            }
        }

        internal override void OnTenant(string tenant, string? displayName)
        {
            if (Resume)
            {
                _named.Add(tenant);
                return;
            }

            string action = (Force ? "Remove earlier exports and export" : "Export") + " audit log";
            if (ShouldProcess(Title(tenant, displayName), action + " from " + Period.Start.ToString("u") + " to " + Period.End.ToString("u") + " into " + _folder))
            {
                StartOnce();
                SubmitTenant(tenant, displayName);
            }
        }

        internal override void Refuse(SecureAppException failure, object? target)
        {
            Unfinished(target as string ?? string.Empty);
            base.Refuse(failure, target);
        }

        private void CheckResume()
        {
            if (s_knownFromBefore.FirstOrDefault(IsGiven) is string given)
            {
                FailInput(
                    "-Resume goes on with what earlier exports asked for, so -" + given + " does not belong to it.",
                    "Leave -" + given + " out, or leave -Resume out and name everything that is wanted.",
                    null);
            }

            if (!IsForAll)
            {
                CheckTenants();
            }

            CheckDelay();
        }

        /// <summary>Takes up what the tenants' folders say is missing.</summary>
        private void GoOn()
        {
            if (_named.Count == 0 && !IsForAll)
            {
                return;
            }

            _resumable = new List<ValueMap>();
            using (RequestBuilder list = new RequestBuilder("audit_resumable")
                .Text("path", _folder)
                .Text("environment", ResolveEnvironment(Environment))
                .Texts("tenants", _named))
            {
                Run(list);
            }

            ILookup<string, ValueMap> tenants = _resumable.ToLookup(missing => missing.Text("tenantId"));
            _resumable = null;
            if (tenants.Count == 0)
            {
                WriteVerbose("There is no time to ask for again in " + _folder + ".");
            }

            foreach (IGrouping<string, ValueMap> missing in tenants)
            {
                string? name = missing.First().OptionalText("displayName");
                DateTimeOffset? start = missing.Min(part => part.Time("startTime"));
                DateTimeOffset? end = missing.Max(part => part.Time("endTime"));
                if (ShouldProcess(Title(missing.Key, name), "Go on with the export of its audit log from " + start?.ToString("u") + " to " + end?.ToString("u") + " into " + _folder))
                {
                    StartOnce();
                    SubmitTenant(missing.Key, name);
                }
            }
        }

        private void StartOnce()
        {
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
            Guarded(() => OutputFolder.Ensure(_folder), new FilePath(Path));
            using RequestBuilder request = Resume
                ? Request("audit_export").Flag("resume", true)
                : RequestForRecords("audit_export")
                    .Files(Format, Bom, Flatten, Compression)
                    .Flag("force", Force);
            request
                .Text("path", _folder)
                .Flag("passThru", PassThru)
                .Int("maxMemory", MaxMemory);
            Restart(request);
        }

        private void Unfinished(string tenant)
        {
            if (!_unfinished.Contains(tenant))
            {
                _unfinished.Add(tenant);
            }
        }
    }
}
