using System;
using System.Collections.Generic;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Follows customers' Management Activity feeds into export folders until it is stopped.</summary>
    [Cmdlet(VerbsCommon.Watch, "SecureAppAuditLog", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppAuditWatch))]
    public sealed class WatchSecureAppAuditLogCommand : OperationCmdlet
    {
        private readonly Dictionary<long, string> _tenants = new Dictionary<long, string>();
        private SecureAppCredential? _credential;
        private string _folder = string.Empty;
        private DateTimeOffset? _until;
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

        [Parameter]
        [ValidateSet("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All")]
        public string[]? ContentType { get; set; }

        [Parameter]
        [ValidateSet("Ndjson", "Csv")]
        public string Format { get; set; } = "Ndjson";

        /// <summary>Starts CSV files with a byte order mark, by which Excel knows that they are UTF-8.</summary>
        [Parameter]
        public SwitchParameter Bom { get; set; }

        /// <summary>Time from the beginning of one round to the next; fifteen minutes where it is not given.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? PollInterval { get; set; }

        /// <summary>Where a folder without an earlier export begins, without a zone in local time; as far back as the feed goes where it is not given.</summary>
        [Parameter]
        [Alias("StartDate")]
        [TimeTransformation]
        public DateTime? StartTime { get; set; }

        /// <summary>How long to go on; each tenant gets one round at least.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? Duration { get; set; }

        /// <summary>The same as a point in time, without a zone in local time.</summary>
        [Parameter]
        [TimeTransformation]
        public DateTime? Until { get; set; }

        /// <summary>Content younger than this may still grow and is left for a later round.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? SettleDelay { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing()
        {
            if (string.IsNullOrWhiteSpace(Path))
            {
                FailInput("No folder was given.", "Use -Path with the folder to write to.", null);
            }

            if (!MyInvocation.ExpectingInput)
            {
                Check(TenantInput.Missing(TenantId), null);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }

            CheckTimes();
            _folder = Guarded(() => OutputFolder.Resolve(SessionState, Path!), new FilePath(Path));
            _credential = ResolveCredential(Credential);
        }

        protected override void ProcessRecord()
        {
            if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                FailItem(missing, null);
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

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppAuditWatch(record));

        /// <summary>A tenant has begun to fail, or fails for another reason; it is tried again.</summary>
        internal override void OnFailed(ValueMap target, SecureAppException failure) =>
            WriteError(ErrorRecords.From(failure, _tenants.TryGetValue(target.Int("item"), out string? tenant) ? tenant : target.OptionalText("tenant")));

        private void CheckTimes()
        {
            if (Bom && Format != "Csv")
            {
                FailInput("-Bom is for CSV files only.", "Add -Format Csv, or leave -Bom out.", null);
            }

            if (Duration is not null && Until is not null)
            {
                FailInput("-Duration and -Until say the same in two ways.", "Use one of them.", null);
            }

            foreach ((string name, TimeSpan? time) in new[] { (nameof(SettleDelay), SettleDelay), (nameof(Duration), Duration) })
            {
                if (time < TimeSpan.Zero)
                {
                    FailInput("-" + name + " is negative.", "Use a time span of zero or more.", time);
                }
            }

            if (PollInterval < TimeSpan.FromSeconds(1))
            {
                FailInput("-PollInterval is shorter than a second.", "Use a second or more; the feed is an hour behind anyway, so minutes are enough.", PollInterval);
            }

            _until = Until is DateTime until ? Moment(until) : Duration is TimeSpan duration ? DateTimeOffset.UtcNow + duration : null;
        }

        private void SubmitTenant(string tenant)
        {
            if (TenantInput.Refusal(tenant) is SecureAppException refusal)
            {
                FailItem(refusal, tenant);
                return;
            }

            string? name = TenantId!.Length == 1 && !string.IsNullOrWhiteSpace(DisplayName) ? DisplayName : null;
            if (!ShouldProcess(name is null ? tenant : name + " (" + tenant + ")", "Follow audit log into " + _folder))
            {
                return;
            }

            StartOnce();
            _tenants[++_items] = tenant;
            using RequestBuilder item = new RequestBuilder("tenant")
                .Int("item", _items)
                .Text("tenant", tenant.Trim())
                .Text("displayName", name);
            Submit(item);
        }

        private void StartOnce()
        {
            if (IsStarted)
            {
                return;
            }

            Guarded(() => OutputFolder.Ensure(_folder), new FilePath(Path));
            using RequestBuilder request = new RequestBuilder("audit_watch")
                .Credential("credential", _credential!)
                .Text("environment", ResolveEnvironment(Environment))
                .Texts("contentTypes", ContentType)
                .Text("path", _folder)
                .Text("format", Format.ToLowerInvariant())
                .Flag("bom", Bom)
                .Int("throttle", ThrottleLimit)
                .Int("pollMs", PollInterval is TimeSpan poll ? (long)poll.TotalMilliseconds : null)
                .Time("startTime", StartTime is DateTime start ? Moment(start) : null)
                .Time("until", _until)
                .Int("settleSeconds", SettleDelay is TimeSpan delay ? (long)Math.Ceiling(delay.TotalSeconds) : null)
                .Flag("appOnly", AppOnly);
            Start(request);
        }

        /// <summary>A time without a zone is local, as everywhere in PowerShell.</summary>
        private static DateTimeOffset Moment(DateTime time) => new DateTimeOffset(time.ToUniversalTime());
    }
}
