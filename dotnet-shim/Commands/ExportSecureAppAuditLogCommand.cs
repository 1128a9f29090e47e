using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Exports customers' audit logs from the Management Activity feed, each record exactly once.</summary>
    [Cmdlet(VerbsData.Export, "SecureAppAuditLog", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppAuditExport))]
    public sealed class ExportSecureAppAuditLogCommand : OperationCmdlet
    {
        private const string AzureActiveDirectory = "Audit.AzureActiveDirectory";
        private const string Exchange = "Audit.Exchange";
        private const string SharePoint = "Audit.SharePoint";
        private const string General = "Audit.General";
        private const string Dlp = "DLP.All";

        private static readonly string[] s_contentTypes = { AzureActiveDirectory, Exchange, SharePoint, General, Dlp };

        /// <summary>More than a day, so that each run of a daily job overlaps the one before; what comes twice is written once.</summary>
        private static readonly TimeSpan s_defaultSpan = TimeSpan.FromHours(25);

        /// <summary>The core's own settle delay.</summary>
        private static readonly TimeSpan s_defaultDelay = TimeSpan.FromMinutes(10);

        private readonly Dictionary<long, string> _tenants = new Dictionary<long, string>();
        private readonly List<string> _unfinished = new List<string>();
        private SecureAppCredential? _credential;
        private string _folder = string.Empty;
        private DateTimeOffset _start;
        private DateTimeOffset _end;
        private long _items;

        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        public string[]? TenantId { get; set; }

        /// <summary>The customer's name as it shall appear in the results; Get-DelegatedTenant gives it.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? DisplayName { get; set; }

        /// <summary>The folder to write to, taken literally; created where it is missing.</summary>
        [Parameter(Position = 1)]
        public string? Path { get; set; }

        [Parameter(Position = 2)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The first moment of interest, without a zone in local time; 25 hours ago where it is not given.</summary>
        [Parameter]
        [Alias("StartDate")]
        [TimeTransformation]
        public DateTime? StartTime { get; set; }

        /// <summary>The first moment that is not of interest any more; where it is not given, the settle delay ago: as far as the result can be final.</summary>
        [Parameter]
        [Alias("EndDate")]
        [TimeTransformation]
        public DateTime? EndTime { get; set; }

        [Parameter]
        [ValidateSet(AzureActiveDirectory, Exchange, SharePoint, General, Dlp)]
        public string[] ContentType { get; set; } = { AzureActiveDirectory, Exchange, SharePoint, General };

        [Parameter]
        [ValidateSet("Ndjson", "Csv")]
        public string Format { get; set; } = "Ndjson";

        /// <summary>Starts CSV files with a byte order mark, by which Excel knows that they are UTF-8.</summary>
        [Parameter]
        public SwitchParameter Bom { get; set; }

        /// <summary>Content younger than this when it is fetched may still grow, and more may come beside it.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? SettleDelay { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        /// <summary>Starts each tenant's folder anew: what earlier exports wrote there is removed.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        /// <summary>Ends with an error where anything is missing; all tenants are exported first.</summary>
        [Parameter]
        public SwitchParameter FailOnGap { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing()
        {
            if (string.IsNullOrWhiteSpace(Path))
            {
                FailInput("No folder was given.", "Use -Path with the folder to write to.", null);
            }

            if (!MyInvocation.ExpectingInput && TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                Fail(missing, null);
            }

            if (Bom && Format != "Csv")
            {
                FailInput("-Bom is for CSV files only.", "Add -Format Csv, or leave -Bom out.", null);
            }

            if (SettleDelay < TimeSpan.Zero)
            {
                FailInput("-SettleDelay is negative.", "Use a time span of zero or more.", SettleDelay);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                if (TenantInput.Refusal(tenant) is SecureAppException refusal)
                {
                    Fail(refusal, tenant);
                }
            }

            DateTimeOffset now = DateTimeOffset.UtcNow;
            _end = EndTime is DateTime end ? Moment(end) : now - (SettleDelay ?? s_defaultDelay);
            _start = StartTime is DateTime start ? Moment(start) : (EndTime is null || _end > now ? now : _end) - s_defaultSpan;
            if (_start >= _end)
            {
                FailInput(
                    "The start, " + _start.ToString("u") + ", is not before the end, " + _end.ToString("u") + ".",
                    "Give -StartTime and -EndTime so that there is time between them; times without a zone are local.",
                    StartTime);
            }

            _folder = Guarded(() => OutputFolder.Resolve(SessionState, Path!), new FilePath(Path));
            _credential = ResolveCredential(Credential);
        }

        protected override void ProcessRecord()
        {
            if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                Refuse(missing, null);
                return;
            }

            foreach (string tenant in TenantId!)
            {
                SubmitTenant(tenant);
            }

            if (IsStarted)
            {
                DrainReady();
            }
        }

        protected override void EndProcessing()
        {
            Complete();
            if (FailOnGap && _unfinished.Count > 0)
            {
                SecureAppException incomplete = new SecureAppException(
                    SecureAppErrorKind.Protocol,
                    "The audit log of " + _unfinished.Count + " of " + (_items == 1 ? "1 tenant" : _items + " tenants") + " is not complete: " + string.Join(", ", _unfinished.Select(Shown.Text)) + ".",
                    "See Gaps, Reason and Error of their results, then run the same command again: it goes on where it stopped.");
                ThrowTerminatingError(ErrorRecords.From(incomplete, _unfinished.ToArray(), "IncompleteExport"));
            }
        }

        internal override void OnRecord(ValueMap record)
        {
            SecureAppAuditExport result = new SecureAppAuditExport(record);
            if (!result.Complete || result.Gaps.Length > 0)
            {
                Unfinished(Asked(record) ?? result.TenantId);
            }

            WriteObject(result);
        }

        /// <summary>Comes after the result of a tenant that failed, or alone where there is nothing to tell of it.</summary>
        internal override void OnFailed(ValueMap target, SecureAppException failure) =>
            Refuse(failure, Asked(target) ?? target.OptionalText("tenant"));

        private void SubmitTenant(string tenant)
        {
            if (TenantInput.Refusal(tenant) is SecureAppException refusal)
            {
                _items++;
                Refuse(refusal, tenant);
                return;
            }

            string name = string.IsNullOrWhiteSpace(DisplayName) || TenantId!.Length > 1 ? tenant : DisplayName + " (" + tenant + ")";
            string action = (Force ? "Remove earlier exports and export" : "Export") + " audit log";
            if (!ShouldProcess(name, action + " from " + _start.ToString("u") + " to " + _end.ToString("u") + " into " + _folder))
            {
                return;
            }

            StartOnce();
            _tenants[++_items] = tenant;
            using RequestBuilder item = new RequestBuilder("tenant")
                .Int("item", _items)
                .Text("tenant", tenant.Trim())
                .Text("displayName", TenantId!.Length == 1 && !string.IsNullOrWhiteSpace(DisplayName) ? DisplayName : null);
            Submit(item);
        }

        private void StartOnce()
        {
            if (IsStarted)
            {
                return;
            }

            Guarded(() => OutputFolder.Ensure(_folder), new FilePath(Path));
            using RequestBuilder request = new RequestBuilder("audit_export")
                .Credential("credential", _credential!)
                .Text("environment", ResolveEnvironment(Environment))
                .Time("startTime", _start)
                .Time("endTime", _end)
                .Texts("contentTypes", s_contentTypes.Where(known => ContentType.Contains(known, StringComparer.OrdinalIgnoreCase)))
                .Text("path", _folder)
                .Text("format", Format.ToLowerInvariant())
                .Flag("bom", Bom)
                .Int("throttle", ThrottleLimit)
                .Flag("force", Force)
                .Int("settleSeconds", SettleDelay is TimeSpan delay ? (long)Math.Ceiling(delay.TotalSeconds) : null)
                .Flag("appOnly", AppOnly);
            Start(request);
        }

        /// <summary>The tenant as the user named it.</summary>
        private string? Asked(ValueMap about) => _tenants.TryGetValue(about.Int("item"), out string? tenant) ? tenant : null;

        private void Refuse(SecureAppException failure, object? target)
        {
            Unfinished(target as string ?? string.Empty);
            WriteError(ErrorRecords.From(failure, target));
        }

        private void Unfinished(string tenant)
        {
            if (!_unfinished.Contains(tenant))
            {
                _unfinished.Add(tenant);
            }
        }

        /// <summary>A time without a zone is local, as everywhere in PowerShell.</summary>
        private static DateTimeOffset Moment(DateTime time) => new DateTimeOffset(time.ToUniversalTime());
    }
}
