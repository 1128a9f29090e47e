using System;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What the commands on tenants' audit logs share: whose, from which service, which records of which time.</summary>
    public abstract class AuditLogCmdlet : TenantCmdlet
    {
        private const string Feed = "Feed";
        private const string Exchange = "Exchange";
        private const string Graph = "Graph";

        private SecureAppCredential? _credential;
        private TimeSpan? _defaultDelay;

        [Parameter(Position = 2)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>Where the records are taken from; the feed, or Exchange for a month, which the feed does not keep.</summary>
        [Parameter]
        [ValidateSet(Feed, Exchange, Graph)]
        public string? Source { get; set; }

        /// <summary>Content types of the feed, or one kind of record that Graph has.</summary>
        [Parameter]
        [ValidateSet("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All", "AuditLogQuery", "SignIns", "DirectoryAudits", "Provisioning")]
        public string[]? ContentType { get; set; }

        [Parameter]
        public string[]? RecordType { get; set; }

        [Parameter]
        [Alias("Operations")]
        public string[]? Operation { get; set; }

        [Parameter]
        [Alias("UserIds")]
        public string[]? UserId { get; set; }

        [Parameter]
        [Alias("IPAddresses")]
        public string[]? IPAddress { get; set; }

        [Parameter]
        [Alias("ObjectIds")]
        public string[]? ObjectId { get; set; }

        [Parameter]
        public string? FreeText { get; set; }

        /// <summary>The first moment of interest, without a zone in local time; 25 hours before the end where it is not given.</summary>
        [Parameter]
        [Alias("StartDate")]
        [TimeTransformation]
        public DateTime? StartTime { get; set; }

        /// <summary>The first moment that is not of interest any more.</summary>
        [Parameter]
        [Alias("EndDate")]
        [TimeTransformation]
        public DateTime? EndTime { get; set; }

        /// <summary>A whole month in UTC: any moment in it, for example 2026-10.</summary>
        [Parameter]
        [TimeTransformation]
        public DateTime? Month { get; set; }

        /// <summary>What is younger than this when it is fetched may still grow, and more may come beside it.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? SettleDelay { get; set; }

        internal AuditPeriod Period { get; private set; }

        internal string ChosenSource => Source ?? (Month is null ? Feed : Exchange);

        /// <summary>Ends the command where the parameters say nothing that can be asked for.</summary>
        /// <param name="defaultDelay">The settle delay where none is given; the source's own where this is not given either.</param>
        internal void CheckAsked(TimeSpan? defaultDelay = null)
        {
            CheckNotEmpty(nameof(RecordType), nameof(Operation), nameof(UserId), nameof(IPAddress), nameof(ObjectId), nameof(FreeText), nameof(ContentType), nameof(StartTime), nameof(EndTime), nameof(Month));
            CheckDelay();
            _defaultDelay = defaultDelay;
            TimeSpan delay = SettleDelay ?? defaultDelay ?? (ChosenSource == Feed ? AuditPeriod.FeedDelay : AuditPeriod.SearchDelay);
            Period = Guarded(() => AuditPeriod.Of(StartTime, EndTime, Month, delay), StartTime ?? Month);
        }

        internal void CheckDelay()
        {
            CheckNotEmpty(nameof(SettleDelay));
            if (SettleDelay < TimeSpan.Zero)
            {
                FailInput("-SettleDelay is negative.", "Use a time span of zero or more.", SettleDelay);
            }
        }

        internal void TakeCredential() => _credential = ResolveCredential(Credential);

        /// <summary>A request with who asks.</summary>
        internal RequestBuilder Request(string kind) => Request(kind, _credential!)
            .Int("settleSeconds", (SettleDelay ?? _defaultDelay) is TimeSpan delay ? (long)Math.Ceiling(delay.TotalSeconds) : null);

        /// <summary>The same with what is asked for.</summary>
        internal RequestBuilder RequestForRecords(string kind) => Request(kind)
            .Text("source", ChosenSource.ToLowerInvariant())
            .Texts("contentTypes", ContentType)
            .Texts("recordTypes", RecordType)
            .Texts("operations", Operation)
            .Texts("userIds", UserId)
            .Texts("ipAddresses", IPAddress)
            .Texts("objectIds", ObjectId)
            .Text("freeText", FreeText)
            .Time("startTime", Period.Start)
            .Time("endTime", Period.End);

        internal void SubmitTenant(string tenant, string? displayName)
        {
            using RequestBuilder item = Item(tenant, displayName);
            Submit(item);
        }
    }
}
