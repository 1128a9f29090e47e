using System;
using System.Collections;
using System.Diagnostics;

namespace SecureAppModel.Tenants
{
    /// <summary>One tenant for which the script is to run: its tokens while they come, and what became of it.</summary>
    internal sealed class TenantWork
    {
        private readonly Stopwatch _sinceTokens = new Stopwatch();
        private readonly Hashtable _tokens = new Hashtable(StringComparer.OrdinalIgnoreCase);

        internal TenantWork(DelegatedTenant tenant, string asked)
        {
            Tenant = tenant;
            Asked = asked;
            Result = new DelegatedTenantCommandResult(tenant);
        }

        /// <summary>The tenant as the user named it.</summary>
        internal string Asked { get; }

        internal DelegatedTenant Tenant { get; private set; }

        internal DelegatedTenantCommandResult Result { get; }

        /// <summary>Tokens that were asked for and have not come.</summary>
        internal int Missing { get; private set; }

        /// <summary>Why one of the tokens cannot be had.</summary>
        internal SecureAppException? Refusal { get; set; }

        /// <summary>What the script gets as $Token: the token, or a table of them where several resources were named.</summary>
        internal object? Token { get; private set; }

        /// <summary>When the first of the tokens ends.</summary>
        internal DateTimeOffset End { get; private set; }

        /// <summary>How long ago the last of the tokens came.</summary>
        internal TimeSpan Waited => _sinceTokens.Elapsed;

        internal string Title => Tenant.DisplayName is null ? Tenant.TenantId : Tenant.DisplayName + " (" + Tenant.TenantId + ")";

        internal void Expect(int tokens)
        {
            Missing = tokens;
            Refusal = null;
            _tokens.Clear();
            Token = null;
            End = DateTimeOffset.MaxValue;
        }

        internal void Take(SecureAppAccessToken token, string name, bool single)
        {
            Missing--;
            _sinceTokens.Restart();
            _tokens[name] = token;
            Token = single ? token : (object)_tokens;
            End = token.ExpiresOn < End ? token.ExpiresOn : End;
            if (token.TenantId is string id && id != Tenant.TenantId)
            {
                Tenant = new DelegatedTenant(id, Tenant.DisplayName, Tenant.DefaultDomainName);
                Result.TenantId = id;
            }
        }

        internal void Miss(SecureAppException refusal)
        {
            Missing--;
            Refusal ??= refusal;
        }
    }
}
