using System;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Follows customers' Management Activity feeds into export folders until it is stopped.</summary>
    [Cmdlet(VerbsCommon.Watch, "SecureAppAuditLog", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppAuditWatch))]
    public sealed class WatchSecureAppAuditLogCommand : TenantCmdlet
    {
        private SecureAppCredential? _credential;
        private string _folder = string.Empty;
        private DateTimeOffset? _until;

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

        /// <summary>A column for each field of the records, instead of the columns of Search-UnifiedAuditLog.</summary>
        [Parameter]
        public SwitchParameter Flatten { get; set; }

        [Parameter]
        [ValidateSet("None", "Gzip", "Zstd")]
        public string Compression { get; set; } = "None";

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

        protected override void BeginProcessing()
        {
            Check(AuditFiles.Missing(Path), null);
            CheckTenants();
            Check(AuditFiles.Refusal(Format, Bom, Flatten), null);
            CheckTimes();
            _folder = Guarded(() => OutputFolder.Resolve(SessionState, Path!), new FilePath(Path));
            _credential = ResolveCredential(Credential);
        }

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppAuditWatch(record));

        internal override void OnTenant(string tenant, string? displayName)
        {
            if (!ShouldProcess(Title(tenant, displayName), "Follow audit log into " + _folder))
            {
                return;
            }

            StartOnce();
            using RequestBuilder item = Item(tenant, displayName);
            Submit(item);
        }

        private void CheckTimes()
        {
            CheckNotEmpty(nameof(StartTime), nameof(Duration), nameof(Until), nameof(SettleDelay), nameof(PollInterval), nameof(ContentType));
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

            DateTimeOffset now = DateTimeOffset.UtcNow;
            if (Duration > DateTimeOffset.MaxValue - now)
            {
                FailInput("-Duration is longer than time goes.", "Leave it out to go on until the command is stopped.", Duration);
            }

            _until = Until is DateTime until ? AuditPeriod.Moment(until) : now + Duration;
        }

        private void StartOnce()
        {
            if (IsStarted)
            {
                return;
            }

            Guarded(() => OutputFolder.Ensure(_folder), new FilePath(Path));
            using RequestBuilder request = Request("audit_watch", _credential!)
                .Texts("contentTypes", ContentType)
                .Text("path", _folder)
                .Files(Format, Bom, Flatten, Compression)
                .Int("pollMs", PollInterval is TimeSpan poll ? (long)poll.TotalMilliseconds : null)
                .Time("startTime", StartTime is DateTime start ? AuditPeriod.Moment(start) : null)
                .Time("until", _until)
                .Int("settleSeconds", SettleDelay is TimeSpan delay ? (long)Math.Ceiling(delay.TotalSeconds) : null);
            Start(request);
        }
    }
}
