using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;
using SecureAppModel.Tenants;

namespace SecureAppModel.Commands
{
    /// <summary>Runs a script for each of many tenants, side by side, with the tokens that it needs.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "DelegatedTenantCommand", SupportsShouldProcess = true)]
    [OutputType(typeof(PSObject), typeof(DelegatedTenantCommandSummary))]
    public sealed partial class InvokeDelegatedTenantCommandCommand : OperationCmdlet
    {
        private const int DefaultThrottle = 32;

        private readonly DelegatedTenantCommandSummary _summary = new DelegatedTenantCommandSummary();
        private SecureAppCredential? _credential;

        [Parameter(Position = 0, Mandatory = true)]
        public ScriptBlock ScriptBlock { get; set; } = null!;

        [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        /// <summary>The customer's name; Get-DelegatedTenant gives it.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? DisplayName { get; set; }

        /// <summary>What the tokens are for: one gives $Token, several make it a table.</summary>
        [Parameter]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string[]? Resource { get; set; }

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
        [Alias("Args")]
        public object?[]? ArgumentList { get; set; }

        /// <summary>Modules that the script needs, by name or path.</summary>
        [Parameter]
        public string[]? Module { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int ThrottleLimit { get; set; } = DefaultThrottle;

        /// <summary>How long the script may take in one tenant.</summary>
        [Parameter]
        [ValidateRange(1, 86_400)]
        public int? TimeoutSeconds { get; set; }

        /// <summary>How often the script is started again where it failed.</summary>
        [Parameter]
        [ValidateRange(0, 10)]
        public int RetryCount { get; set; }

        /// <summary>An earlier run: its tenants that did not succeed are run.</summary>
        [Parameter]
        public object[]? Resume { get; set; }

        /// <summary>Writes the summary after the output.</summary>
        [Parameter]
        public SwitchParameter PassThru { get; set; }

        /// <summary>The variable that holds the summary, from the beginning on and after a stop.</summary>
        [Parameter]
        public string? SummaryVariable { get; set; }

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(TenantId), nameof(Module), nameof(SummaryVariable), nameof(Resume));
            CheckQuestion();
            if (IsGiven(nameof(Resume)) && (IsGiven(nameof(TenantId)) || MyInvocation.ExpectingInput))
            {
                FailInput("-Resume names the tenants, so no others can be given.", "Use one of them.", null);
            }

            if (!MyInvocation.ExpectingInput && !IsGiven(nameof(Resume)))
            {
                Check(TenantInput.Missing(TenantId), null);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }

            _credential = ResolveCredential(Credential);
            Guarded(Prepare, null);
            if (SummaryVariable is not null)
            {
                SessionState.PSVariable.Set(SummaryVariable, _summary);
            }
        }

        protected override void ProcessRecord()
        {
            if (IsGiven(nameof(Resume)))
            {
                foreach ((string tenant, string? name) in Guarded(() => ResumeInput.Left(Resume ?? Array.Empty<object>()), null))
                {
                    OnTenant(tenant, name);
                }

                return;
            }

            if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                FailItem(missing, null);
                return;
            }

            foreach (string tenant in TenantId!)
            {
                OnTenant(tenant, TenantId.Length == 1 && !string.IsNullOrWhiteSpace(DisplayName) ? DisplayName : null);
            }
        }

        protected override void EndProcessing()
        {
            PumpToTheEnd();
            Complete();
            _summary.Elapsed = _clock.Elapsed;
            WriteInformation(_summary.ToString(), new[] { "SecureAppModel" });
            if (PassThru)
            {
                WriteObject(_summary);
            }
        }

        internal override void OnRecord(ValueMap record)
        {
            TenantWork work = Asked(record, out string name);
            work.Take(new SecureAppAccessToken(record.Text("accessToken"), record), name, IsSingle);
            OnTokens(work);
        }

        internal override void OnFailed(ValueMap target, SecureAppException failure)
        {
            TenantWork work = Asked(target, out _);
            work.Miss(failure);
            OnTokens(work);
        }

        /// <summary>The tokens are a part of the work, whose progress is told as a whole.</summary>
        internal override void OnProgress(ValueMap progress)
        {
        }

        /// <summary>One of the two has to be there, so neither is to be left out without the other.</summary>
        private void CheckQuestion()
        {
            if (new[] { nameof(Resource), nameof(Scope) }.FirstOrDefault(name => IsGiven(name) && InputShape.IsEmpty(MyInvocation.BoundParameters[name])) is string empty)
            {
                FailInput("-" + empty + " is empty.", "Check the variable that it comes from: -Resource or -Scope has to say what the tokens are for.", null);
            }

            Check(TokenInput.Question(Resource, Scope), null);
        }

        private bool IsSingle => Resource is not { Length: > 1 };

        private void OnTenant(string tenant, string? name)
        {
            if (TenantRefusal(tenant, AppOnly) is SecureAppException refusal)
            {
                FailItem(refusal, tenant);
                return;
            }

            TenantWork work = new TenantWork(Known(tenant.Trim(), name), tenant);
            if (!ShouldProcess(work.Title, "Run the script"))
            {
                return;
            }

            _summary.Add(work.Result);
            StartOnce();
            PumpWhileFull();
            Ask(work);
        }

        /// <summary>The customer as it came in, or as this session has listed it, or what is known of it.</summary>
        private static DelegatedTenant Known(string tenant, string? name)
        {
            if (TenantOrigin.Customer(tenant) is DelegatedTenant piped)
            {
                return piped;
            }

            ICollection<DelegatedTenant> customers = State.Customers.Values;
            return State.Customers.TryGetValue(tenant, out DelegatedTenant? known)
                ? known
                : customers.FirstOrDefault(customer => tenant.Equals(customer.DefaultDomainName, StringComparison.OrdinalIgnoreCase))
                ?? new DelegatedTenant(tenant, name, null);
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
                .Flag("appOnly", AppOnly);
            Start(request);
        }
    }
}
