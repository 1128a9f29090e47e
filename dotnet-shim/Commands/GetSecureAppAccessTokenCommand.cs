using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Gets access tokens for many tenants and resources at once, each as soon as it is there.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppAccessToken")]
    [OutputType(typeof(SecureAppAccessToken), typeof(string), typeof(SecureString))]
    public sealed class GetSecureAppAccessTokenCommand : OperationCmdlet
    {
        private readonly Dictionary<long, string> _tenants = new Dictionary<long, string>();
        private readonly UpstreamPace _pace = new UpstreamPace();
        private SecureAppCredential? _credential;
        private long _lastItem;

        /// <summary>Has a position so that whoever gives it before the tenant is told so, instead of what the engine says.</summary>
        [Parameter(Position = 1)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string[]? Resource { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [Alias("Scopes")]
        public string[]? Scope { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        [Parameter]
        [ValidateRange(1, 256)]
        public int? ThrottleLimit { get; set; }

        [Parameter]
        public SwitchParameter AsPlainText { get; set; }

        [Parameter]
        public SwitchParameter AsSecureString { get; set; }

        [Parameter]
        public SwitchParameter IncludeRefreshToken { get; set; }

        [Parameter]
        public SwitchParameter ForceRefresh { get; set; }

        [Parameter]
        [SecretTransformation]
        public SecureString? UserAssertion { get; set; }

        protected override void BeginProcessing()
        {
            if (UserAssertion is { Length: 0 })
            {
                FailInput("The user assertion is empty.", "Give the access token that your API was called with, or leave -UserAssertion out.", null);
            }

            if (AsPlainText && AsSecureString)
            {
                FailInput("-AsPlainText and -AsSecureString exclude each other.", "Use one of them, or neither for a token object.", null);
            }

            // Everything that the command line says is checked before anything is sent.
            if (!MyInvocation.ExpectingInput)
            {
                Check(TokenInput.Question(Resource, Scope), null);
                Check(HasTenantOfItsOwn() ? null : TenantInput.Missing(TenantId), null);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }

            _credential = ResolveCredential(Credential);
        }

        protected override void ProcessRecord()
        {
            _pace.Enter();
            if (TokenInput.Question(Resource, Scope) is SecureAppException wrong)
            {
                Refuse(wrong, TenantId);
            }
            else if (TenantId is not { Length: > 0 } && _credential!.IsManagedIdentity)
            {
                SubmitTenant(TenantInput.Own);
            }
            else if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                Refuse(missing, null);
            }
            else
            {
                foreach (string tenant in TenantId!)
                {
                    SubmitTenant(tenant);
                }
            }

            if (IsStarted)
            {
                DrainReady();
                if (MyInvocation.ExpectingInput && _pace.ShouldWait)
                {
                    DrainOutstanding(UpstreamPace.Patience);
                }
            }

            _pace.Leave();
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record)
        {
            _tenants.Remove(record.Int("item"));
            string token = record.Text("accessToken");
            if (AsPlainText)
            {
                WriteObject(token);
            }
            else if (AsSecureString)
            {
                WriteObject(CredentialInput.Secure(token));
            }
            else
            {
                WriteObject(new SecureAppAccessToken(token, record));
            }
        }

        internal override void OnFailed(ValueMap target, SecureAppException failure)
        {
            long item = target.Int("item");
            string tenant = _tenants.TryGetValue(item, out string? asked) ? asked : target.Text("tenant");
            _tenants.Remove(item);
            WriteError(ErrorRecords.From(failure, tenant));
        }

        /// <summary>A managed identity needs no tenant. Nothing is made of what else may have been given as the credential.</summary>
        private bool HasTenantOfItsOwn()
        {
            object? given = Credential is PSObject wrapped ? wrapped.BaseObject : Credential ?? State.Credential;
            return given is SecureAppCredential { IsManagedIdentity: true };
        }

        private void SubmitTenant(string tenant)
        {
            if (tenant != TenantInput.Own && TenantRefusal(tenant, AppOnly) is SecureAppException refusal)
            {
                Refuse(refusal, tenant);
                return;
            }

            StartOnce();
            if (TokenInput.HasText(Scope))
            {
                using RequestBuilder item = Item(tenant).Texts("scopes", Scope!.Select(scope => scope.Trim()));
                Submit(item);
                return;
            }

            foreach (string resource in Resource!)
            {
                using RequestBuilder item = Item(tenant).Text("resource", resource.Trim());
                Submit(item);
            }
        }

        private RequestBuilder Item(string tenant)
        {
            _tenants[++_lastItem] = tenant == TenantInput.Own ? _credential!.ManagedIdentity! : tenant;
            return new RequestBuilder("token").Int("item", _lastItem).Text("tenant", tenant == TenantInput.Own ? null : tenant.Trim());
        }

        private void StartOnce()
        {
            if (IsStarted)
            {
                return;
            }

            using RequestBuilder request = new RequestBuilder("tokens")
                .Credential("credential", _credential!)
                .Text("environment", ResolveEnvironment(Environment))
                .Int("throttle", ThrottleLimit)
                .Flag("appOnly", AppOnly)
                .Flag("forceRefresh", ForceRefresh)
                .Flag("includeRefreshToken", IncludeRefreshToken)
                .Secret("userAssertion", UserAssertion);
            Start(request);
        }

        /// <summary>A bad item of a pipeline fails alone; anything on the command line has been checked before.</summary>
        private void Refuse(SecureAppException refusal, object? target) => WriteError(ErrorRecords.From(refusal, target));
    }
}
