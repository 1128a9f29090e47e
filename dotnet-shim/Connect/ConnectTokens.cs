using System;
using System.Collections.Generic;
using System.Linq;
using SecureAppModel.Commands;
using SecureAppModel.Interop;

namespace SecureAppModel.Connect
{
    /// <summary>Gets what the services of one tenant need, each token once, all at once.</summary>
    internal sealed class ConnectTokens
    {
        private static readonly TimeSpan s_untilAnswered = TimeSpan.FromDays(1);

        private readonly TokenBox _box = new TokenBox();
        private readonly OperationCmdlet _owner;
        private readonly SecureAppCredential _credential;
        private readonly SecureAppEnvironment _environment;

        internal ConnectTokens(OperationCmdlet owner, SecureAppCredential credential, SecureAppEnvironment environment, bool appOnly)
        {
            _owner = owner;
            _credential = credential;
            _environment = environment;
            IsForced = appOnly;
        }

        /// <summary>True where the application acts although there is a user behind it.</summary>
        internal bool IsForced { get; }

        internal bool IsAppOnly => IsForced || !_credential.HasRefreshToken;

        internal void Put(ValueMap record) => _box.Put(
            record.Int("item"),
            new ServiceToken(record.Text("accessToken"), record.Text("tenantId"), record.Time("expiresOn") ?? default, record.OptionalText("initialDomain")));

        internal void Fail(ValueMap target, SecureAppException failure) => _box.Fail(target.Int("item"), failure);

        /// <summary>Asks for all tokens at once and waits for them.</summary>
        /// <param name="targets">Who needs them.</param>
        /// <param name="tenant">Whose they are; a need of the partner's own is asked for there.</param>
        /// <param name="domainIsKnown">The domain that the tenant was made with need not be asked for.</param>
        /// <param name="site">The address of the site, where one is connected to.</param>
        internal void Ask(IReadOnlyList<ConnectTarget> targets, string tenant, bool domainIsKnown, string? site)
        {
            _box.Clear();
            string? partner = _credential.TenantId;
            bool isOwn = string.Equals(tenant.Trim(), partner, StringComparison.OrdinalIgnoreCase);
            foreach (ConnectTarget target in targets)
            {
                bool withDomain = !domainIsKnown && target.Service.WantsInitialDomain(target.Shape, IsAppOnly, isOwn);
                foreach (TokenNeed need in target.Service.Needs.Where(need => !need.PartnerTenant || partner is not null))
                {
                    Ask(need, need.PartnerTenant ? partner! : tenant, site, withDomain);
                }
            }

            Await();
            if (partner is null && targets.SelectMany(target => target.Service.Needs).FirstOrDefault(need => need.PartnerTenant) is TokenNeed partners)
            {
                AskForPartners(partners);
            }
        }

        /// <summary>The tokens of a service, by what they are for; one that is optional may not be among them.</summary>
        /// <exception cref="SecureAppException">One could not be had.</exception>
        internal Dictionary<string, ServiceToken> Of(ConnectService service)
        {
            Dictionary<string, ServiceToken> tokens = new Dictionary<string, ServiceToken>();
            foreach (TokenNeed need in service.Needs)
            {
                try
                {
                    tokens.Add(need.Service, _box.Get(need));
                }
                catch (SecureAppException failure) when (need.IsOptional)
                {
                    _owner.WriteVerbose(service.Command + " gets no token for " + need.Service + ": " + failure.Message);
                }
            }

            return tokens;
        }

        /// <summary>
        /// The credential does not name its own tenant, but a user's token from a customer does. Without one the partner's
        /// tenant is not known: taking the customer's for it would connect Partner Center to the wrong one.
        /// </summary>
        private void AskForPartners(TokenNeed need)
        {
            string? home = _box.Tokens.Select(token => TokenClaims.Read(token.AccessToken).HomeTenantId).FirstOrDefault(known => known is not null);
            if (home is not null)
            {
                Ask(need, home, null, false);
                Await();
                return;
            }

            _box.Fail(need, ErrorRecords.Refusal(
                "Partner Center needs a token of the partner's own tenant, and neither the credential nor a token names that tenant.",
                "Name it in the credential: New-SecureAppCredential -TenantId, or the key tenantId of a hashtable."));
        }

        private void Ask(TokenNeed need, string tenant, string? site, bool withDomain)
        {
            string? resource = need.Resource(_environment, site);
            if (string.IsNullOrEmpty(resource))
            {
                _box.Fail(need, ErrorRecords.Refusal("The environment " + _environment.Name + " has no service '" + need.Service + "'.", "Leave it out of -Service, or name another -Environment."));
                return;
            }

            if (_box.Ask(need, tenant) is long item)
            {
                StartOnce();
                using RequestBuilder request = new RequestBuilder("token").Int("item", item).Text("tenant", tenant.Trim()).Text("resource", resource).Flag("initialDomain", withDomain);
                _owner.Submit(request);
            }
        }

        private void Await()
        {
            if (_owner.IsStarted)
            {
                _owner.DrainOutstanding(s_untilAnswered);
            }
        }

        private void StartOnce()
        {
            if (_owner.IsStarted)
            {
                return;
            }

            using RequestBuilder request = new RequestBuilder("tokens")
                .Credential("credential", _credential)
                .Text("environment", _environment.Name)
                .Flag("appOnly", IsForced);
            _owner.Start(request);
        }
    }
}
