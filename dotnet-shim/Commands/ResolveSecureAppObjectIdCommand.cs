using System;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Says what application ids and object ids stand for, in one row each.</summary>
    [Cmdlet(VerbsDiagnostic.Resolve, "SecureAppObjectId")]
    [OutputType(typeof(SecureAppObjectId))]
    public sealed class ResolveSecureAppObjectIdCommand : OperationCmdlet
    {
        private const string Advice = "Give -Id application ids or object ids, or pipe records or other objects in that have them.";

        private bool _namesId;
        private bool _namesTenant;
        private SecureAppCredential? _credential;
        private long _items;

        /// <summary>Ids, texts with ids in them, or objects that have them.</summary>
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("ObjectId", "AppId", "ApplicationId", "ClientAppId")]
        [ObjectIdTransformation]
        public string[]? Id { get; set; }

        /// <summary>The tenant whose ids they are; the credential's own where it is not given.</summary>
        [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId", "OrganizationId")]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string? TenantId { get; set; }

        /// <summary>What is piped in, whole: it may say whose customer its tenant is.</summary>
        [Parameter(ValueFromPipeline = true, DontShow = true)]
        public PSObject? InputObject { get; set; }

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

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
            if (!MyInvocation.ExpectingInput && (Id is null || Id.Length == 0))
            {
                FailInput("No id was given.", Advice, null);
            }

            _namesId = IsGiven(nameof(Id));
            _namesTenant = IsGiven(nameof(TenantId));
            if (_namesTenant)
            {
                Check(TenantInput.Refusal(TenantId), TenantId);
            }

            // Microsoft's own applications are known without one.
            if (IsGiven(nameof(Credential)) || State.Credential is not null)
            {
                _credential = ResolveCredential(Credential);
            }
        }

        protected override void ProcessRecord()
        {
            if (Refused() is SecureAppException refusal)
            {
                FailItem(refusal, TenantId);
                return;
            }

            foreach (string id in Id ?? new[] { string.Empty })
            {
                Submit(id);
            }

            if (IsStarted)
            {
                DrainReady();
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppObjectId(record));

        /// <summary>Null where the tenant is the credential's own, or one that its user may ask in.</summary>
        private SecureAppException? Refused()
        {
            if (TenantId is not null)
            {
                return TenantInput.Refusal(TenantId) ?? (_namesTenant || InputObject is null ? null : TenantOrigin.Refusal(TenantId, InputObject, _credential, AppOnly));
            }

            // Ids that are named are looked up in what is piped in: never in the own tenant instead.
            return _namesId && MyInvocation.ExpectingInput ? TenantInput.Refusal(TenantInput.NoTenant) : null;
        }

        private void Submit(string id)
        {
            bool isField = id.Length > 0 && id[0] == ObjectIdTransformationAttribute.Field;
            string text = (isField ? id.Substring(1) : id).Trim();
            if (text.Length == 0)
            {
                FailItem(ErrorRecords.Refusal(isField ? "The input has no id." : "The id is empty.", Advice), null);
                return;
            }

            if (!IsStarted)
            {
                RequestBuilder request = new RequestBuilder("object_ids")
                    .Text("environment", ResolveEnvironment(Environment))
                    .Int("throttle", ThrottleLimit)
                    .Flag("appOnly", AppOnly);
                using (request)
                {
                    Start(_credential is null ? request : request.Credential("credential", _credential));
                }
            }

            using RequestBuilder item = new RequestBuilder("id")
                .Int("item", ++_items)
                .Text("text", text)
                .Text("tenant", TenantId?.Trim())
                .Flag("field", isField);
            Submit(item);
        }
    }
}
