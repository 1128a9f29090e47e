using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Sends a REST request with a token of the resource, to one tenant or many; or many requests in Graph's batches.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "SecureAppRequest", DefaultParameterSetName = RequestSet, SupportsShouldProcess = true)]
    [OutputType(typeof(PSObject), ParameterSetName = new[] { RequestSet })]
    [OutputType(typeof(SecureAppBatchResponse), ParameterSetName = new[] { BatchSet })]
    public sealed partial class InvokeSecureAppRequestCommand : OperationCmdlet
    {
        private const string RequestSet = "Request";
        private const string BatchSet = "Batch";
        private const string Get = "GET";

        private readonly Dictionary<long, string?> _tenants = new Dictionary<long, string?>();
        private SecureAppCredential? _credential;
        private string[] _headers = Array.Empty<string>();
        private string? _body;
        private long _items;

        /// <summary>A path from the root of the resource's host, or a whole address on it.</summary>
        [Parameter(Position = 0)]
        public string? Uri { get; set; }

        [Parameter(ParameterSetName = RequestSet)]
        [ValidateSet(Get, "POST", "PUT", "PATCH", "DELETE")]
        public string Method { get; set; } = Get;

        /// <summary>An object, which is made JSON of; text and bytes go as they are.</summary>
        [Parameter(ParameterSetName = RequestSet)]
        public object? Body { get; set; }

        [Parameter(ParameterSetName = RequestSet)]
        public IDictionary? Headers { get; set; }

        [Parameter(ParameterSetName = RequestSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Parameter(ParameterSetName = BatchSet)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        /// <summary>The customer's name as it shall appear beside the results; Get-DelegatedTenant gives it.</summary>
        [Parameter(ParameterSetName = RequestSet, ValueFromPipelineByPropertyName = true)]
        public string? DisplayName { get; set; }

        /// <summary>The items of a collection, through all of its pages, instead of the answer.</summary>
        [Parameter(ParameterSetName = RequestSet)]
        public SwitchParameter All { get; set; }

        /// <summary>Not mandatory in its set, nor is what comes with it: PowerShell would take any pipeline for requests.</summary>
        [Parameter(ParameterSetName = BatchSet)]
        public SwitchParameter Batch { get; set; }

        /// <summary>The requests of the batches.</summary>
        [Parameter(ParameterSetName = BatchSet, ValueFromPipeline = true)]
        [BatchRequestTransformation]
        public SecureAppBatchRequest[]? InputObject { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string? Resource { get; set; }

        [Parameter]
        [Alias("Scopes")]
        public string[]? Scope { get; set; }

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        /// <summary>True where no tenant was named and none can come: the credential's own is meant.</summary>
        private bool IsForOwnTenant => !IsGiven(nameof(TenantId)) && (Batch || !MyInvocation.ExpectingInput);

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(Resource), nameof(Scope), nameof(TenantId));
            if (!Batch && string.IsNullOrWhiteSpace(Uri))
            {
                FailInput("-Uri says no address.", "Give a path such as /v1.0/users, or a whole https address.", null);
            }

            if (Batch && InputObject is not { Length: > 0 } && !MyInvocation.ExpectingInput)
            {
                FailInput("-Batch has no requests.", "Pipe them in, or give them to -InputObject.", null);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }

            _headers = Guarded(() => HeaderInput.Texts(Headers), null);
            _body = Body is null || Bytes(Body) is not null ? null : Guarded(() => Text(Body), null);
            _credential = ResolveCredential(Credential);
        }

        protected override void ProcessRecord()
        {
            if (Batch)
            {
                foreach (SecureAppBatchRequest request in InputObject ?? Array.Empty<SecureAppBatchRequest>())
                {
                    OnRequest(request);
                }
            }
            else if (IsForOwnTenant)
            {
                OnTenant(null);
            }
            else if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                FailItem(missing, null);
            }
            else
            {
                foreach (string tenant in TenantId!)
                {
                    OnTenant(tenant);
                }
            }

            if (IsStarted)
            {
                DrainReady();
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record)
        {
            if (Batch)
            {
                WriteObject(new SecureAppBatchResponse(record));
                return;
            }

            WriteObject(TenantMark.On(ObjectValue.Value(record.Get("body")), record.Text("tenantId"), record.OptionalText("displayName")));
        }

        internal override void OnFailed(ValueMap target, SecureAppException failure)
        {
            _tenants.TryGetValue(target.Int("item"), out string? tenant);
            WriteError(ErrorRecords.From(failure, tenant ?? target.OptionalText("tenant")));
        }

        private void OnTenant(string? tenant)
        {
            if (tenant is not null && TenantRefusal(tenant, AppOnly) is SecureAppException refusal)
            {
                FailItem(refusal, tenant);
                return;
            }

            string? name = TenantId?.Length == 1 && !string.IsNullOrWhiteSpace(DisplayName) ? DisplayName : null;
            if (!Confirmed(tenant, name, Method, Uri!))
            {
                return;
            }

            StartOnce("rest_request", Uri!);
            using RequestBuilder item = Item("tenant", tenant).Text("displayName", name);
            Submit(item);
        }

        private bool Confirmed(string? tenant, string? name, string method, string uri) =>
            method.Equals(Get, StringComparison.OrdinalIgnoreCase)
            || ShouldProcess(
                tenant is null ? "the credential's own tenant" : name is null ? tenant : name + " (" + tenant + ")",
                method.ToUpperInvariant() + " " + uri.Split('?')[0]);

        private RequestBuilder Item(string kind, string? tenant)
        {
            _tenants[++_items] = tenant;
            return new RequestBuilder(kind).Int("item", _items).Text("tenant", tenant?.Trim());
        }

        private void StartOnce(string kind, string uri)
        {
            if (IsStarted)
            {
                return;
            }

            using RequestBuilder request = new RequestBuilder(kind)
                .Credential("credential", _credential!)
                .Text("environment", ResolveEnvironment(Environment))
                .Int("throttle", ThrottleLimit)
                .Flag("appOnly", AppOnly)
                .Text("resource", Resource?.Trim())
                .Texts("scopes", Scope?.Select(scope => scope.Trim()))
                .Text("uri", uri);
            if (!Batch)
            {
                request.Text("method", Method).Texts("headers", _headers).Text("body", _body).Flag("all", All);
                if (Bytes(Body) is byte[] bytes)
                {
                    request.Base64("bodyBytes", bytes);
                }
            }

            Start(request);
        }

        private static byte[]? Bytes(object? body) => ((body as PSObject)?.BaseObject ?? body) as byte[];

        private static string Text(object body) => ((body as PSObject)?.BaseObject ?? body) as string ?? JsonText.Of(body);
    }
}
