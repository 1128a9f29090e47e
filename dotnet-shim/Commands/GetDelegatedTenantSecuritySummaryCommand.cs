using System.Collections.Generic;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Gives each customer's security in a row, compares it with earlier runs, and writes it to a table and a page.</summary>
    [Cmdlet(VerbsCommon.Get, "DelegatedTenantSecuritySummary", SupportsShouldProcess = true)]
    [OutputType(typeof(DelegatedTenantSecuritySummary))]
    public sealed class GetDelegatedTenantSecuritySummaryCommand : SecurityCmdlet
    {
        /// <summary>The customers, while they are being listed.</summary>
        private List<DelegatedTenant>? _listed;

        private string? _history;
        private string? _csv;
        private string? _html;

        /// <summary>A folder that this run is added to, and whose earlier runs it is compared with.</summary>
        [Parameter]
        public string? HistoryPath { get; set; }

        [Parameter]
        public string? CsvPath { get; set; }

        [Parameter]
        public string? HtmlPath { get; set; }

        internal override string Kind => "security_summary";

        internal override bool IsForAll => !MyInvocation.ExpectingInput && !IsGiven(nameof(TenantId));

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(HistoryPath), nameof(CsvPath), nameof(HtmlPath));
            if (!IsForAll)
            {
                CheckTenants();
            }

            TakeCredential();
            _history = Wanted(HistoryPath, "Add this run to the history in");
            _csv = Wanted(CsvPath, "Write the table");
            _html = Wanted(HtmlPath, "Write the page");
        }

        protected override void ProcessRecord()
        {
            if (!IsForAll)
            {
                base.ProcessRecord();
                return;
            }

            foreach (DelegatedTenant customer in Customers())
            {
                OnTenant(customer.TenantId, customer.DisplayName);
            }
        }

        internal override void Ask(RequestBuilder request) => request
            .Text("historyPath", _history)
            .Text("csvPath", _csv)
            .Text("htmlPath", _html);

        internal override void OnRecord(ValueMap record)
        {
            if (_listed is null)
            {
                WriteObject(new DelegatedTenantSecuritySummary(record));
            }
            else
            {
                _listed.Add(new DelegatedTenant(record));
            }
        }

        internal override void OnFailed(ValueMap target, SecureAppException failure)
        {
            if (target.OptionalText("path") is string path)
            {
                WriteError(ErrorRecords.From(failure, new FilePath(path)));
            }
            else
            {
                base.OnFailed(target, failure);
            }
        }

        private List<DelegatedTenant> Customers()
        {
            List<DelegatedTenant> customers = _listed = new List<DelegatedTenant>();
            using RequestBuilder request = new RequestBuilder("delegated_tenants")
                .Credential("credential", TakeCredential())
                .Text("environment", ResolveEnvironment(Environment));
            Run(request);
            _listed = null;
            return customers;
        }

        /// <summary>A place to write to, as an absolute path; null where nothing is to be written there.</summary>
        private string? Wanted(string? path, string action)
        {
            if (path is null)
            {
                return null;
            }

            string full = Guarded(() => OutputPath.Resolve(SessionState, path, "Give a place on a file system in which this user may create files."), new FilePath(path));
            return ShouldProcess(full, action) ? full : null;
        }
    }
}
