using System;
using System.Collections.Generic;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Search-UnifiedAuditLog without the Exchange module: its parameters, its columns, and all rows instead of a page.</summary>
    [Cmdlet(VerbsCommon.Search, "SecureAppUnifiedAuditLog")]
    [OutputType(typeof(PSObject))]
    public sealed class SearchSecureAppUnifiedAuditLogCommand : OperationCmdlet
    {
        private const string TypeName = "SecureAppModel.UnifiedAuditLogRow";

        private SecureAppCredential? _credential;

        /// <summary>From when, without a zone in UTC, as the original takes it.</summary>
        [Parameter(Mandatory = true)]
        [TimeTransformation]
        public DateTime StartDate { get; set; }

        /// <summary>Until when.</summary>
        [Parameter(Mandatory = true)]
        [TimeTransformation]
        public DateTime EndDate { get; set; }

        [Parameter]
        public string? RecordType { get; set; }

        [Parameter]
        public string[]? Operations { get; set; }

        [Parameter]
        public string[]? UserIds { get; set; }

        [Parameter]
        public string[]? IPAddresses { get; set; }

        [Parameter]
        public string[]? ObjectIds { get; set; }

        [Parameter]
        public string[]? SiteIds { get; set; }

        [Parameter]
        public string? FreeText { get; set; }

        /// <summary>The most rows; all of them where it is not given, but 100 for a call of a session, as in the original.</summary>
        [Parameter]
        public int? ResultSize { get; set; }

        /// <summary>The caller's own session: each call then gives one page of it.</summary>
        [Parameter]
        public string? SessionId { get; set; }

        /// <summary>ReturnLargeSet or ReturnNextPreviewPage.</summary>
        [Parameter]
        public string? SessionCommand { get; set; }

        [Parameter]
        public SwitchParameter Formatted { get; set; }

        [Parameter]
        public SwitchParameter HighCompleteness { get; set; }

        [Parameter]
        public string? LongerRetentionEnabled { get; set; }

        /// <summary>The tenant to search in; the credential's own where it is not given.</summary>
        [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId", "Organization")]
        [TenantTransformation(One = true, Also = "Organization")]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string? TenantId { get; set; }

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing() => _credential = ResolveCredential(Credential);

        protected override void ProcessRecord()
        {
            if (IsGiven(nameof(TenantId)) && TenantRefusal(TenantId ?? string.Empty, AppOnly) is SecureAppException refusal)
            {
                FailItem(refusal, TenantId);
                return;
            }

            CheckNotEmpty(nameof(RecordType), nameof(Operations), nameof(UserIds), nameof(IPAddresses), nameof(ObjectIds), nameof(SiteIds), nameof(FreeText), nameof(ResultSize), nameof(SessionId), nameof(SessionCommand));
            using RequestBuilder request = new RequestBuilder("audit_search")
                .Credential("credential", _credential!)
                .Text("environment", ResolveEnvironment(Environment))
                .Flag("appOnly", AppOnly)
                .Text("tenant", TenantId?.Trim())
                .Time("startTime", Utc(StartDate))
                .Time("endTime", Utc(EndDate))
                .Texts("recordTypes", RecordType is null ? null : new[] { RecordType })
                .Texts("operations", Operations)
                .Texts("userIds", UserIds)
                .Texts("ipAddresses", IPAddresses)
                .Texts("objectIds", ObjectIds)
                .Texts("siteIds", SiteIds)
                .Text("freeText", FreeText)
                .Int("resultSize", ResultSize)
                .Text("sessionId", SessionId)
                .Text("sessionCommand", SessionCommand)
                .Flag("formatted", Formatted)
                .Flag("highCompleteness", HighCompleteness)
                .Text("longerRetentionEnabled", LongerRetentionEnabled);
            Run(request);
        }

        internal override void OnRecord(ValueMap record)
        {
            PSObject row = new PSObject();
            row.TypeNames.Insert(0, TypeName);
            foreach (KeyValuePair<string, object?> column in record.Entries)
            {
                // The original gives a DateTime, and scripts format it as one.
                object? value = column.Value is DateTimeOffset time ? time.UtcDateTime : ObjectValue.Value(column.Value);
                ObjectValue.Append(row, column.Key, value);
            }

            WriteObject(row);
        }

        /// <summary>A time without a zone is UTC here, as in the original; the current time of day is a local time.</summary>
        private static DateTimeOffset Utc(DateTime time) =>
            time.Kind == DateTimeKind.Local ? new DateTimeOffset(time).ToUniversalTime() : new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc));
    }
}
