using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Connect;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Connects services' own modules to a tenant with the tokens that each of them wants.</summary>
    [Cmdlet(VerbsCommunications.Connect, "DelegatedTenant")]
    [OutputType(typeof(DelegatedConnection), typeof(Hashtable))]
    public sealed class ConnectDelegatedTenantCommand : OperationCmdlet
    {
        private static readonly TimeSpan s_untilAnswered = TimeSpan.FromDays(1);

        private readonly TokenBox _box = new TokenBox();
        private SecureAppCredential? _credential;
        private SecureAppEnvironment? _environment;
        private string _environmentName = string.Empty;

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
        [ValidateSet("Graph", "ExchangeOnline", "PartnerCenter", "MSOnline", "AzureAD")]
        public string[] Service { get; set; } = Array.Empty<string>();

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The user to name to a service that wants one; the token's own where it is not given.</summary>
        [Parameter]
        public string? AccountId { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        /// <summary>Returns each Connect cmdlet's parameters, to be splatted, and calls none.</summary>
        [Parameter]
        public SwitchParameter AsHashtable { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        private bool IsAppOnly => AppOnly || !_credential!.HasRefreshToken;

        protected override void BeginProcessing()
        {
            if (MyInvocation.BoundParameters.ContainsKey(nameof(TenantId)))
            {
                Check(TenantInput.Missing(TenantId), null);
                foreach (string tenant in TenantId!)
                {
                    Check(TenantInput.Refusal(tenant), tenant);
                }
            }

            Check(AccountInput.Refusal(AccountId), AccountId);
            _credential = ResolveCredential(Credential);
            _environmentName = ResolveEnvironment(Environment);
            _environment = Guarded(() => EnvironmentStore.Get(_environmentName), _environmentName);
        }

        protected override void ProcessRecord()
        {
            // A tenant that was given, even as an empty variable, never silently becomes the credential's own.
            bool given = MyInvocation.ExpectingInput || MyInvocation.BoundParameters.ContainsKey(nameof(TenantId));
            if (given && TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                WriteError(ErrorRecords.From(missing, null));
            }
            else if (given)
            {
                foreach (string tenant in TenantId!)
                {
                    Serve(tenant, TenantInput.Refusal(tenant));
                }
            }
            else
            {
                Serve(_credential!.TenantId, _credential.TenantId is null
                    ? ErrorRecords.Refusal("No tenant was given, and the credential does not name its own.", "Use -TenantId.")
                    : null);
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record) => _box.Put(
            record.Int("item"),
            new ServiceToken(record.Text("accessToken"), record.Text("tenantId"), record.Time("expiresOn") ?? default, record.OptionalText("initialDomain")));

        internal override void OnFailed(ValueMap target, SecureAppException failure) => _box.Fail(target.Int("item"), failure);

        private void Serve(string? tenant, SecureAppException? refusal)
        {
            if (refusal is not null)
            {
                WriteError(ErrorRecords.From(refusal, tenant));
                return;
            }

            List<Target> targets = Targets(tenant!);
            AskFor(targets, tenant!);
            foreach (Target target in targets)
            {
                try
                {
                    Connect(target, tenant!);
                }
                catch (SecureAppException failure)
                {
                    WriteError(ErrorRecords.From(failure, tenant));
                }
            }
        }

        /// <summary>The services with the commands to call; one that is not installed is an error and left out.</summary>
        private List<Target> Targets(string tenant)
        {
            List<Target> targets = new List<Target>();
            foreach (ConnectService service in Service.Distinct(StringComparer.OrdinalIgnoreCase).Select(ConnectService.Find))
            {
                if (service.Retirement is string retirement)
                {
                    WriteWarning(retirement);
                }

                CommandInfo? command = InvokeCommand.GetCommand(
                    service.Command, CommandTypes.Function | CommandTypes.Cmdlet | CommandTypes.Alias);
                if (command is not null)
                {
                    targets.Add(new Target(service, command, CommandShape.Of(command, service.TokenParameter)));
                }
                else if (AsHashtable)
                {
                    targets.Add(new Target(service, null, CommandShape.Documented));
                }
                else
                {
                    SecureAppException missing = new SecureAppException(
                        SecureAppErrorKind.NotFound,
                        service.Command + " was not found: the module " + service.Module + " is not installed here.",
                        "Install it: Install-Module " + service.Module + " -Scope CurrentUser");
                    WriteError(ErrorRecords.From(missing, tenant, "ModuleNotFound", ErrorCategory.NotInstalled));
                }
            }

            return targets;
        }

        /// <summary>Asks for all tokens at once, each only once, and waits for them.</summary>
        private void AskFor(List<Target> targets, string tenant)
        {
            _box.Clear();
            string? partner = _credential!.TenantId;
            List<TokenNeed> needs = targets.SelectMany(target => target.Service.Needs).ToList();
            foreach (Target target in targets)
            {
                bool withDomain = target.Service.WantsInitialDomain(target.Shape, IsAppOnly) && KnownDomain(tenant) is null;
                foreach (TokenNeed need in target.Service.Needs.Where(need => !need.PartnerTenant || partner is not null))
                {
                    Ask(need, need.PartnerTenant ? partner! : tenant, withDomain);
                }
            }

            AwaitTokens();
            if (partner is null && needs.FirstOrDefault(need => need.PartnerTenant) is TokenNeed partners)
            {
                AskForPartners(partners);
            }
        }

        /// <summary>
        /// The credential does not name its own tenant, but a user's token from a customer does. Without one the partner's
        /// tenant is not known: taking the customer's for it would connect Partner Center to the wrong one.
        /// </summary>
        private void AskForPartners(TokenNeed need)
        {
            if (HomeTenant() is string home)
            {
                Ask(need, home);
                AwaitTokens();
                return;
            }

            _box.Fail(need, ErrorRecords.Refusal(
                "Partner Center needs a token of the partner's own tenant, and neither the credential nor a token names that tenant.",
                "Name it in the credential: New-SecureAppCredential -TenantId, or the key tenantId of a hashtable."));
        }

        private string? HomeTenant() =>
            _box.Tokens.Select(token => TokenClaims.Read(token.AccessToken).HomeTenantId).FirstOrDefault(home => home is not null);

        /// <summary>The domain that the tenant was made with, as far as somebody has said it.</summary>
        private string? KnownDomain(string tenant) =>
            ConnectContext.IsInitialDomain(tenant) ? tenant.Trim()
                : TenantId is not { Length: > 1 } && ConnectContext.IsInitialDomain(DefaultDomainName) ? DefaultDomainName!.Trim()
                : null;

        private void Ask(TokenNeed need, string tenant, bool withDomain = false)
        {
            string? resource = _environment!.Resources.Properties[need.Service]?.Value as string;
            if (string.IsNullOrEmpty(resource))
            {
                _box.Fail(need, ErrorRecords.Refusal("The environment " + _environmentName + " has no service '" + need.Service + "'.", "Leave it out of -Service, or name another -Environment."));
                return;
            }

            if (_box.Ask(need, tenant) is long item)
            {
                StartOnce();
                using RequestBuilder request = new RequestBuilder("token").Int("item", item).Text("tenant", tenant.Trim()).Text("resource", resource).Flag("initialDomain", withDomain);
                Submit(request);
            }
        }

        private void AwaitTokens()
        {
            if (IsStarted)
            {
                DrainOutstanding(s_untilAnswered);
            }
        }

        private void StartOnce()
        {
            if (IsStarted)
            {
                return;
            }

            using RequestBuilder request = new RequestBuilder("tokens")
                .Credential("credential", _credential!)
                .Text("environment", _environmentName)
                .Flag("appOnly", AppOnly);
            Start(request);
        }

        private void Connect(Target target, string tenant)
        {
            Dictionary<string, ServiceToken> tokens = target.Service.Needs.ToDictionary(need => need.Service, need => _box.Get(need));
            ServiceToken first = tokens.Values.First();
            TokenClaims claims = TokenClaims.Read(first.AccessToken);
            ConnectContext context = new ConnectContext(target.Shape, tokens)
            {
                Environment = _environmentName,
                InitialDomain = KnownDomain(tenant) ?? first.InitialDomain,
                IsAppOnly = IsAppOnly,
                IsCustomer = !IsOwn(first, claims),
                ApplicationId = _credential!.ApplicationId,
                Account = Account(claims),
            };
            Hashtable parameters = target.Service.Parameters(context);
            if (AsHashtable)
            {
                PSObject splat = new PSObject(parameters);
                splat.Properties.Add(new PSNoteProperty("Service", target.Service.Name));
                splat.Properties.Add(new PSNoteProperty("Command", target.Service.Command));
                WriteObject(splat);
            }
            else if (Call(target, parameters))
            {
                WriteObject(new DelegatedConnection(
                    target.Service.Name, context.TenantId, context.Account, context.ExpiresOn, target.Service.Command));
            }
        }

        private string Account(TokenClaims claims)
        {
            string? known = string.IsNullOrWhiteSpace(AccountId) ? claims.Account ?? (IsAppOnly ? null : _credential!.Account) : AccountId;
            return known ?? _credential!.ApplicationId;
        }

        private bool IsOwn(ServiceToken token, TokenClaims claims)
        {
            string? home = Guid.TryParse(_credential!.TenantId, out _) ? _credential.TenantId : claims.HomeTenantId;
            return home is null || string.Equals(home, token.TenantId, StringComparison.OrdinalIgnoreCase);
        }

        /// <summary>Calls the service's own cmdlet; true where it reported no error.</summary>
        private bool Call(Target target, Hashtable parameters)
        {
            WriteVerbose("Calling " + target.Service.Command + " with " + string.Join(", ", parameters.Keys.Cast<string>().OrderBy(name => name).Select(name => "-" + name)) + ".");
            Collection<PSObject> output;
            try
            {
                // Its errors come back with its output, so that they are this command's, and its success is known.
                output = InvokeCommand.InvokeScript(
                    true, ScriptBlock.Create("param($command, $parameters) & $command @parameters 2>&1"), null, target.Command, parameters);
            }
            catch (RuntimeException failure) when (failure is not PipelineStoppedException)
            {
                WriteError(Own(failure.ErrorRecord, target));
                return false;
            }

            List<ErrorRecord> errors = output.Where(item => item is not null).Select(item => item.BaseObject).OfType<ErrorRecord>().ToList();
            foreach (ErrorRecord error in errors)
            {
                WriteError(Own(error, target));
            }

            return errors.Count == 0;
        }

        /// <summary>A cmdlet's error with its own words, and which cmdlet's it is.</summary>
        private static ErrorRecord Own(ErrorRecord error, Target target) => new ErrorRecord(error, null)
        {
            ErrorDetails = new ErrorDetails(target.Service.Command + ": " + (error.ErrorDetails?.Message ?? error.Exception.Message)),
        };

        private sealed class Target
        {
            internal Target(ConnectService service, CommandInfo? command, CommandShape shape)
            {
                Service = service;
                Command = command;
                Shape = shape;
            }

            internal ConnectService Service { get; }

            internal CommandInfo? Command { get; }

            internal CommandShape Shape { get; }
        }
    }
}
