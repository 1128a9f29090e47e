using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Connect;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Connects services' own modules to a tenant, with the tokens that each of them wants or with a certificate.</summary>
    [Cmdlet(VerbsCommunications.Connect, "DelegatedTenant", DefaultParameterSetName = TokenSet)]
    [OutputType(typeof(DelegatedConnection), typeof(Hashtable))]
    public sealed partial class ConnectDelegatedTenantCommand : OperationCmdlet
    {
        private const string TokenSet = "Token";

        private SecureAppCredential? _credential;
        private SecureAppEnvironment? _environment;
        private ConnectTokens? _tokens;
        private CertificateProof? _proof;

        /// <summary>The customer's tenant, or the own one; the credential's own where none is given.</summary>
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        /// <summary>The tenant's onmicrosoft.com domain, as a customer that is piped in has it.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? DefaultDomainName { get; set; }

        [Parameter(Position = 1, Mandatory = true)]
        [ValidateSet("Graph", "ExchangeOnline", "Compliance", "Az", "Teams", "PnP", "SharePoint", "PartnerCenter", "MSOnline", "AzureAD")]
        public string[] Service { get; set; } = Array.Empty<string>();

        /// <summary>The site that SharePoint's modules connect to; the tenant's admin centre where none is given.</summary>
        [Parameter]
        public Uri? Url { get; set; }

        [Parameter(ParameterSetName = TokenSet)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The user to name to a service that wants one; the token's own where it is not given.</summary>
        [Parameter(ParameterSetName = TokenSet)]
        public string? AccountId { get; set; }

        [Parameter(ParameterSetName = TokenSet)]
        public SwitchParameter AppOnly { get; set; }

        /// <summary>Returns each Connect cmdlet's parameters, to be splatted, and calls none.</summary>
        [Parameter]
        public SwitchParameter AsHashtable { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing()
        {
            if (IsGiven(nameof(TenantId)))
            {
                Check(TenantInput.Missing(TenantId), null);
                foreach (string tenant in TenantId!)
                {
                    Check(TenantInput.Refusal(tenant), tenant);
                }
            }

            Check(AccountInput.Refusal(AccountId), AccountId);
            if (Url is not null)
            {
                Guarded(() => Site.Checked(Url), null);
            }

            string name = ResolveEnvironment(Environment);
            _environment = Guarded(() => EnvironmentStore.Get(name), name);
            if (ParameterSetName == TokenSet)
            {
                _credential = ResolveCredential(Credential);
                _tokens = new ConnectTokens(this, _credential, _environment, AppOnly);
            }
            else
            {
                _proof = Proof();
            }
        }

        protected override void ProcessRecord()
        {
            // A tenant that was given, even as an empty variable, never silently becomes the credential's own.
            bool given = MyInvocation.ExpectingInput || IsGiven(nameof(TenantId));
            if (given && TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                WriteError(ErrorRecords.From(missing, null));
            }
            else if (given)
            {
                foreach (string tenant in TenantId!)
                {
                    Serve(tenant, TenantRefusal(tenant, AppOnly));
                }
            }
            else
            {
                string? own = _proof is null ? _credential!.TenantId : Organization;
                Serve(own, own is null
                    ? ErrorRecords.Refusal(
                        _proof is null ? "No tenant was given, and the credential does not name its own." : "No tenant was given.",
                        _proof is null ? "Use -TenantId." : "Use -Organization, or -TenantId.")
                    : null);
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record) => _tokens!.Put(record);

        internal override void OnFailed(ValueMap target, SecureAppException failure) => _tokens!.Fail(target, failure);

        private void Serve(string? tenant, SecureAppException? refusal)
        {
            if (refusal is not null)
            {
                WriteError(ErrorRecords.From(refusal, tenant));
                return;
            }

            string? domain = KnownDomain(tenant!);
            string? site = Url is not null ? Site.Checked(Url) : domain is null ? null : Site.AdminCentre(domain, _environment!.Name);
            List<ConnectTarget> targets = Targets(tenant!, site);
            _tokens?.Ask(targets, tenant!, domain is not null, site);
            foreach (ConnectTarget target in targets)
            {
                try
                {
                    Connect(target, tenant!, domain, site);
                }
                catch (SecureAppException failure)
                {
                    WriteError(ErrorRecords.From(failure, tenant));
                }
            }
        }

        /// <summary>The services with the commands to call; one that is not installed, or not fit, is an error and left out.</summary>
        private List<ConnectTarget> Targets(string tenant, string? site)
        {
            List<ConnectTarget> targets = new List<ConnectTarget>();
            foreach (ConnectService service in Service.Distinct(StringComparer.OrdinalIgnoreCase).Select(ConnectService.Find))
            {
                if (service.Retirement is string retirement)
                {
                    WriteWarning(retirement);
                }

                CommandInfo? command = ModuleCommand.Find(this, service.Command);
                if (command is null && !AsHashtable)
                {
                    WriteError(ModuleCommand.Missing(service, service.Command, tenant));
                    continue;
                }

                try
                {
                    ConnectTarget target = new ConnectTarget(service, command, _proof);
                    targets.Add(service.WantsSite && site is null
                        ? throw ErrorRecords.Refusal(
                            "It is not known which site " + service.Command + " shall connect to.",
                            "Name it with -Url, or the tenant by its onmicrosoft.com domain (-TenantId or -DefaultDomainName) for its admin centre.")
                        : target);
                }
                catch (SecureAppException refusal)
                {
                    WriteError(ErrorRecords.From(refusal, tenant));
                }
            }

            return targets;
        }

        /// <summary>The domain that the tenant was made with, as far as somebody has said it.</summary>
        private string? KnownDomain(string tenant) =>
            ConnectContext.IsInitialDomain(tenant) ? tenant.Trim()
                : ConnectContext.IsInitialDomain(Organization) ? Organization!.Trim()
                : TenantId is not { Length: > 1 } && ConnectContext.IsInitialDomain(DefaultDomainName) ? DefaultDomainName!.Trim()
                : null;

        private void Connect(ConnectTarget target, string tenant, string? domain, string? site)
        {
            Dictionary<string, ServiceToken> tokens = _tokens?.Of(target.Service) ?? new Dictionary<string, ServiceToken>();
            ConnectContext context = new ConnectContext(target.Shape, tokens)
            {
                Environment = _environment!.Name,
                LoginEndpoint = _environment.LoginEndpoint ?? string.Empty,
                Resource = name => _environment.Resources.Properties[name]?.Value as string ?? string.Empty,
                Certificate = _proof,
                Site = site,
                InitialDomain = domain,
                AskedTenant = tenant.Trim(),
                NamedOrganization = Organization?.Trim(),
                ApplicationId = _proof?.ApplicationId ?? _credential!.ApplicationId,
                Account = _proof?.ApplicationId ?? string.Empty,
            };
            if (tokens.Count > 0)
            {
                ServiceToken first = tokens.Values.First();
                TokenClaims claims = TokenClaims.Read(first.AccessToken);
                context.InitialDomain ??= tokens.Values.Select(token => token.InitialDomain).FirstOrDefault(known => known is not null);
                context.IsAppOnly = _tokens!.IsAppOnly;
                context.IsCustomer = !IsOwn(first, claims);
                context.Account = Account(claims);
            }

            Hashtable parameters = target.Service.Parameters(context);
            if (AsHashtable)
            {
                PSObject splat = new PSObject(parameters);
                splat.Properties.Add(new PSNoteProperty("Service", target.Service.Name));
                splat.Properties.Add(new PSNoteProperty("Command", target.Service.Command));
                WriteObject(splat);
            }
            else if (ModuleCommand.Call(this, target.Service, target.Command!, parameters))
            {
                State.Connected.Add(target.Service.Name);
                WriteObject(new DelegatedConnection(
                    target.Service.Name, context.TenantId, context.Account, context.ExpiresOn, target.Service.Command));
            }
        }

        private string Account(TokenClaims claims)
        {
            string? known = string.IsNullOrWhiteSpace(AccountId) ? claims.Account ?? (_tokens!.IsAppOnly ? null : _credential!.Account) : AccountId;
            return known ?? _credential!.ApplicationId;
        }

        private bool IsOwn(ServiceToken token, TokenClaims claims)
        {
            string? home = Guid.TryParse(_credential!.TenantId, out _) ? _credential.TenantId : claims.HomeTenantId;
            return home is null || string.Equals(home, token.TenantId, StringComparison.OrdinalIgnoreCase);
        }
    }
}
